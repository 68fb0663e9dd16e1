import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { SignedLog } from '../../audit/signed-log.ts';
import type { Instant } from '../../domain/time.ts';
import type { Judgement } from '../../domain/validation/judging/judge.ts';
import type { Counts } from '../../domain/validation/records/run-record.ts';
import type { EventStore } from '../../eventstore/event-store.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { OperatorDecisions } from '../../ledger/operator-decisions.ts';
import type { ClosePeriodCommand, ClosePeriodResult } from '../../ledger/period-closing-store.ts';
import type { Projections } from '../../projections/projections.ts';
import type { KubefirstServices } from '../kubefirst-rooms.ts';
import type { Metrics } from '../metrics/metrics.ts';

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What can be asked of the validator. */
export interface ValidatorControl {
  /** How far the run of this process is; `undefined` while it is at none. */
  readonly progress:
    | { readonly run: string; readonly done: number; readonly total: number; readonly counts: Counts }
    | undefined;
  /** Has it run; `taken` where a run is under way, whose id is given then. */
  request(actor: string): Promise<{ readonly outcome: 'begun' | 'taken'; readonly run: string }>;
  /** What a run would do now. */
  plan(): Promise<{ readonly decidedAt: Instant; readonly judgement: Judgement }>;
}

/** What the resources are made of. */
export interface HttpServices {
  readonly store: EventStore;
  readonly ledger: Ledger;
  readonly projections: Projections;
  readonly signedLog: SignedLog;
  readonly metrics: Metrics;
  readonly decisions: OperatorDecisions;
  readonly kubefirst: KubefirstServices;
  readonly closePeriod: (command: ClosePeriodCommand) => Promise<ClosePeriodResult>;
  /** Absent where no source of credentials is configured. */
  readonly validator?: ValidatorControl | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly version: string;
}

/** Until there are API keys, whoever reaches the loopback address is an operator. */
export const LOOPBACK_CALLER = { actor: 'loopback', role: 'operator', mayBackdate: true } as const;
