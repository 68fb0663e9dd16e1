import type { Logger } from 'pino';
import type { Timings } from '../eventstore/esdb/timings.ts';
import type { LossAcceptance } from '../ledger/loss-records.ts';
import type { Tracing } from './tracing.ts';

/** Options of `compose`. */
export interface ComposeOptions {
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A clock that nobody can set, in milliseconds; by default that of the process. `now` must advance with it. */
  readonly monotonic?: () => number;
  /** Returns what the clock of the store's server shows, if it has one; by default the server says it. */
  readonly serverTime?: () => Promise<number | undefined>;
  /** How long it waits for a server of the store; by default as operators need it. */
  readonly timings?: Timings;
  /** Called if the process must stop: the store has failed, or following its log has failed and cannot continue. */
  readonly onFailed: (error: unknown) => void;
  /** Traces requests and operations. */
  readonly tracing?: Tracing | undefined;
  /** Number of events from which on an embedded log is read before it is checked; by default 20,000. */
  readonly readableUncheckedFrom?: number;
  /** Whether the ledger only answers requests and writes nothing, neither to the store nor to files. */
  readonly readOnly?: boolean;
  /** Opens a log although it lacks events that were acknowledged, and records that an operator accepts it. */
  readonly acceptLoss?: LossAcceptance;
  /**
   * Called if an operator accepts that events are lost. The ledger must then be closed and composed again with `acceptLoss`.
   * Without it, a loss cannot be accepted.
   */
  readonly onLossAccepted?: (acceptance: LossAcceptance) => void;
}
