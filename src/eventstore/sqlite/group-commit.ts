import { Worker } from 'node:worker_threads';
import type { Position } from '../../util/log-numbers.ts';
import { DIGEST_BYTES } from '../event-store.ts';
import { StoreBusy, StoreFailed, StoreFull } from '../store-errors.ts';
import type { Acknowledged } from './acknowledged.ts';
import type { TailsPart } from './check-log.ts';
import type { Group, LogRow, StateRow, WriterAnswer, WriterCommand, WriterData } from './writer.ts';

/** Rows to write in one transaction, and callbacks for the result. */
export interface Write {
  readonly log: readonly LogRow[];
  readonly state: readonly StateRow[];
  readonly forget: Group['forget'];
  /**
   * @param digests of the log rows of the group, one after the other; `undefined` if they are not known.
   * @param digestsAt where those of this write begin, in bytes.
   */
  committed(digests: Uint8Array | undefined, digestsAt: number): void;
  /** Called with `StoreFull` or `StoreBusy` if nothing was written, or with `StoreFailed` if that is unknown. */
  rejected(error: StoreFull | StoreBusy | StoreFailed): void;
}

export interface GroupCommitOptions {
  readonly onFailed: (error: StoreFailed) => void;
  /** URL of a module that exports `digestOf`, a `DigestOf`. */
  readonly digests?: string | undefined;
  /** Called with the tails of a log that the thread has checked, before it is ready. */
  readonly onTails?: (part: TailsPart) => void;
}

/**
 * Group commit: all writes that arrive while one group is being written form the next group, which shares one transaction and
 * one fsync. A write is acknowledged after the fsync; the fsync does not wait for further writes.
 */
export class GroupCommit {
  readonly #worker: Worker;
  readonly #options: GroupCommitOptions;
  #waiting: Write[] = [];
  #writing: Write[] = [];
  #scheduled = false;
  readonly #ready = Promise.withResolvers<void>();
  #isReady = false;
  #closing = false;
  #failed: StoreFailed | undefined;
  #idle: (() => void) | undefined;

  /**
   * Starts the writer thread.
   * @param uncheckedHead position of the last event of a log that the thread has to check first; absent if it was checked.
   */
  constructor(path: string, options: GroupCommitOptions, uncheckedHead?: Position) {
    this.#options = options;
    this.#ready.promise.catch(() => undefined);
    this.#worker = new Worker(new URL('./writer.ts', import.meta.url), {
      workerData: { path, digests: options.digests, uncheckedHead } satisfies WriterData,
    });
    this.#worker.on('message', (answer: WriterAnswer) => this.#handle(answer));
    this.#worker.on('error', (error) => this.#fail(error.message));
    this.#worker.on('exit', () => {
      if (!this.#closing) this.#fail('the writer thread stopped');
    });
  }

  /** Resolves once the file is open for writing. @throws StoreFailed if it cannot be opened, or its log is damaged. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get failed(): StoreFailed | undefined {
    return this.#failed;
  }

  /** Adds a write to the next group. */
  add(write: Write): void {
    if (this.#failed !== undefined) {
      write.rejected(this.#failed);
      return;
    }
    this.#waiting.push(write);
    if (this.#writing.length > 0 || this.#scheduled) return;
    this.#scheduled = true;
    // Waits for all requests that this iteration of the event loop reads.
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  /** Notes in the witness beside the file what was acknowledged so far, and from then on each group. */
  acknowledge(known: Acknowledged): void {
    this.#command({ command: 'acknowledge', known });
  }

  /** Notes that a signed checkpoint covers all events up to a position. */
  signed(position: number): void {
    if (this.#failed === undefined && !this.#closing) this.#command({ command: 'signed', position });
  }

  #command(command: WriterCommand): void {
    this.#worker.postMessage(command);
  }

  #send(): void {
    if (this.#waiting.length === 0 || this.#failed !== undefined) return;
    this.#writing = this.#waiting;
    this.#waiting = [];
    const group: Group = {
      log: this.#writing.flatMap(({ log }) => log),
      state: this.#writing.flatMap(({ state }) => state),
      forget: this.#writing.flatMap(({ forget }) => forget),
    };
    this.#worker.postMessage(group);
  }

  #handle(answer: WriterAnswer): void {
    if (answer.outcome === 'failed') {
      this.#fail(answer.message);
      return;
    }
    if (answer.outcome === 'ready') {
      this.#isReady = true;
      this.#ready.resolve();
      return;
    }
    if (answer.outcome === 'tails') {
      this.#options.onTails?.(answer.part);
      return;
    }
    const written = this.#writing;
    this.#writing = [];
    if (answer.outcome === 'committed') {
      const { digests } = answer;
      let at = 0;
      for (const write of written) {
        write.committed(digests, at);
        at += write.log.length * DIGEST_BYTES;
      }
    } else {
      // Waiting writes have revisions and positions after those that were not written, so they are rejected too.
      const rejected = [...written, ...this.#waiting];
      this.#waiting = [];
      const error =
        answer.outcome === 'full'
          ? new StoreFull(`the disk of the store is full: ${answer.message}`)
          : new StoreBusy('another program holds a lock on the file of the store');
      for (const write of rejected.reverse()) write.rejected(error);
    }
    this.#send();
    if (this.#writing.length === 0) this.#idle?.();
  }

  #fail(message: string): void {
    if (this.#failed !== undefined) return;
    const error = new StoreFailed(`the store failed and cannot be written any more: ${message}`);
    this.#failed = error;
    const lost = [...this.#writing, ...this.#waiting];
    this.#writing = [];
    this.#waiting = [];
    for (const write of lost) write.rejected(error);
    this.#idle?.();
    if (this.#isReady) this.#options.onFailed(error);
    else this.#ready.reject(new StoreFailed(message));
  }

  /** Waits until all writes have settled. */
  async drain(): Promise<void> {
    if (this.#failed === undefined && (this.#writing.length > 0 || this.#waiting.length > 0)) {
      await new Promise<void>((resolve) => {
        this.#idle = () => {
          if (this.#writing.length === 0 && this.#waiting.length === 0) resolve();
        };
      });
    }
  }

  /** Ends the writer thread. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#failed !== undefined || !this.#isReady) {
      await this.#worker.terminate();
      return;
    }
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#command({ command: 'close' });
    await exited;
  }
}
