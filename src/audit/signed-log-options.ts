import type { Logger } from '../util/logger.ts';
import type { LogReader } from './leaf-hash-worker-client.ts';
import type { LogKeys } from './log-keys.ts';

export interface SignedLogOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Gives the keys of the log, whose origin it is told. */
  readonly keys: (origin: string) => Promise<LogKeys>;
  /** Which log it is, for ever; by default `cluster-ledger.local/<ledger id>`. */
  readonly origin?: string | undefined;
  /** Id of the current key, where it is to follow on keys that are lost. */
  readonly acceptKey?: string | undefined;
  /** Height of the lowest nodes of the tree that stay in memory (`MerkleTree`); by default 0, all. */
  readonly treeMinHeightInMemory?: number;
  /** How another thread reads the log, where it can. */
  readonly reader?: LogReader | undefined;
  readonly log: Logger;
  /** Told once when the log is not what was signed. */
  readonly onTampered?: (why: string) => void;
  /** Told once when the process must stop. */
  readonly onFailed?: (error: unknown) => void;
}
