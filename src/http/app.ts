import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { EventStore } from '../eventstore/event-store.ts';
import type { KubefirstIntake } from '../ledger/kubefirst-intake.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ClosePeriod, ClosingOutcome } from '../ledger/period-closes.ts';
import type { Projections } from '../projections/projections.ts';
import type { Metrics } from './metrics.ts';

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What is known of the records of Kubefirst that are followed. */
export interface RecordsStatus {
  readonly state: 'starting' | 'following' | 'unreadable';
  /** Since when it has been in this state. */
  readonly since: number;
  readonly why?: string;
  readonly clusters: number;
  readonly unusable: readonly { readonly name: string; readonly field: string }[];
  /** Billed clusters whose record is gone without a deletion. */
  readonly missing: readonly string[];
}

/** How Kubefirst is listened to. */
export interface KubefirstRooms {
  readonly intake: KubefirstIntake;
  /** What telemetry must show; without it whoever reaches the ledger may post. */
  readonly writeKey: string | undefined;
  readonly pricePerHour: string | undefined;
  /** Absent where no records are followed. */
  readonly records: (() => RecordsStatus) | undefined;
}

/** What the resources are made of. */
export interface Rooms {
  readonly store: EventStore;
  readonly ledger: Ledger;
  readonly projections: Projections;
  readonly metrics: Metrics;
  readonly kubefirst: KubefirstRooms;
  readonly closePeriod: (command: ClosePeriod) => Promise<ClosingOutcome>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly version: string;
}

/** Until there are API keys, whoever reaches the loopback address is an operator. */
export const LOOPBACK_CALLER = { actor: 'loopback', role: 'operator', mayBackdate: true } as const;
