import type { Logger } from 'pino';

/** Options of `compose`. */
export interface ComposeOptions {
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A clock that nobody can set, in milliseconds; by default that of the process. `now` must advance with it. */
  readonly monotonic?: () => number;
  /** Called if the process must stop: the store has failed, or following its log has failed and cannot continue. */
  readonly onFailed: (error: unknown) => void;
  /** Whether the ledger only answers requests and writes nothing, neither to the store nor to files. */
  readonly readOnly?: boolean;
}
