import type { StoreLoss } from '../eventstore/event-store.ts';
import type { Logger } from '../util/logger.ts';
import type { CheckpointFile } from './checkpoint-file.ts';
import type { LogReader } from './leaf-hash-worker-client.ts';
import type { LogKeys } from './log-keys.ts';

/** Options of `SignedLog`. */
export interface SignedLogOptions {
  /** Returns the time that events are stamped with, in milliseconds since the epoch. */
  readonly now: () => number;
  /** Returns the keys of the log with the given origin. */
  readonly keys: (origin: string) => Promise<LogKeys>;
  /** Name of the log, which never changes. Default: `cluster-ledger.local/<ledger id>`. */
  readonly origin?: string | undefined;
  /** Id of the current key, if the operator accepts it as the successor of lost keys. */
  readonly acceptKey?: string | undefined;
  /** Height of the lowest nodes of the tree in memory (see `MerkleTree`). Default: 0, all nodes. */
  readonly treeMinHeightInMemory?: number;
  /** Reads the log in a worker thread, if the store supports it. */
  readonly reader?: LogReader | undefined;
  /** File outside of the store for the newest checkpoint. Without it, checkpoints are only in the store. */
  readonly file?: CheckpointFile | undefined;
  readonly log: Logger;
  /** Called once if the log does not match its signed checkpoints. */
  readonly onTampered?: (why: string) => void;
  /** Called once if the log lacks events that the checkpoint in `file` covers. */
  readonly onBehind?: (loss: StoreLoss) => void;
  /** Called once if the process must stop. */
  readonly onFailed?: (error: unknown) => void;
}
