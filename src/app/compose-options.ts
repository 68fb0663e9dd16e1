import type { Logger } from 'pino';

/** Options of `compose`. */
export interface ComposeOptions {
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called if the process must stop: the store has failed, or following its log has failed and cannot continue. */
  readonly onFailed: (error: unknown) => void;
  /** Whether the ledger only answers requests and writes nothing, neither to the store nor to files. */
  readonly readOnly?: boolean;
}
