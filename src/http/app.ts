import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { EventStore } from '../eventstore/event-store.ts';
import type { Decisions } from '../ledger/decisions.ts';
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

/** What the resources are made of. */
export interface Rooms {
  readonly store: EventStore;
  readonly ledger: Ledger;
  readonly projections: Projections;
  readonly metrics: Metrics;
  readonly decisions: Decisions;
  readonly closePeriod: (command: ClosePeriod) => Promise<ClosingOutcome>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly version: string;
}

/** Until there are API keys, whoever reaches the loopback address is an operator. */
export const LOOPBACK_CALLER = { actor: 'loopback', role: 'operator', mayBackdate: true } as const;
