import type { SignedLog } from '../audit/signed-log.ts';
import type { Position } from '../util/log-numbers.ts';
import type { Logger } from '../util/logger.ts';

interface Options {
  /** Returns milliseconds since the epoch. */
  readonly now: () => number;
  /** A clock that nobody can set, in milliseconds. */
  readonly monotonic: () => number;
  /** Maximum age of the newest checkpoint in ms while events arrive. */
  readonly everyMs: number;
  readonly log: Pick<Logger, 'warn'>;
}

const CHECK_INTERVAL_MS = 1_000;
/**
 * Time between two checkpoints in the file outside of the store. An event is signed there at most 10 seconds after it was
 * recorded, also if the disk is slow.
 */
const FILE_INTERVAL_MS = 5_000;

/**
 * Signs a checkpoint when the newest one, of any replica, is too old and the log has grown since. The file outside of the store
 * gets one more often.
 */
export class CheckpointSchedule {
  readonly #signedLog: SignedLog;
  readonly #options: Options;
  #timer: NodeJS.Timeout | undefined;
  #signing: Promise<void> | undefined;
  /** Time of the last checkpoint in the file, by the monotonic clock, so that setting the clock does not delay the next one. */
  #filedAt = Number.NEGATIVE_INFINITY;
  /** Size of the newest checkpoint, and when this process first saw it by the monotonic clock. */
  #seen: { readonly size: number; readonly at: number } | undefined;

  constructor(signedLog: SignedLog, options: Options) {
    this.#signedLog = signedLog;
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#signing ??= this.#signIfDue().finally(() => {
        this.#signing = undefined;
      });
    }, CHECK_INTERVAL_MS);
  }

  /** Stops the timer and waits until the current signature is done. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#signing;
  }

  /** Signs a checkpoint after a period is closed, without making the caller wait. */
  closed(position: Position | undefined): void {
    this.#signedLog.checkpoint(position).catch((error: unknown) => this.#failed(error));
  }

  async #signIfDue(): Promise<void> {
    try {
      await this.#fileIfDue();
      if (!this.#isDue()) return;
      // Another replica may have signed a checkpoint; one per interval is enough.
      await this.#signedLog.refresh();
      if (this.#isDue()) await this.#signedLog.checkpoint();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #fileIfDue(): Promise<void> {
    const { isReady, tree, filedSize = tree.size } = this.#signedLog;
    const now = this.#options.monotonic();
    if (!isReady || tree.size <= filedSize || now - this.#filedAt < FILE_INTERVAL_MS) return;
    this.#filedAt = now;
    await this.#signedLog.fileCheckpoint();
  }

  #isDue(): boolean {
    const { isReady, tree } = this.#signedLog;
    const { size = 0, signedAt = 0 } = this.#signedLog.newest() ?? {};
    const { now, monotonic, everyMs } = this.#options;
    if (this.#seen?.size !== size) this.#seen = { size, at: monotonic() };
    // A checkpoint that was signed while a clock was ahead would never be too old by its own time.
    const isOld = now() - signedAt >= everyMs || monotonic() - this.#seen.at >= everyMs;
    return isReady && tree.size > size && isOld;
  }

  #failed(error: unknown): void {
    this.#options.log.warn({ err: error }, 'no checkpoint was signed');
  }
}
