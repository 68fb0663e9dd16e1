import { Worker } from 'node:worker_threads';
import { StoreFailed, StoreFull } from '../store-errors.ts';
import type { Group, LogRow, StateRow, WriterAnswer } from './writer.ts';

/** Something to write in one transaction with others, and whom to tell. */
export interface Write {
  readonly log: readonly LogRow[];
  readonly state: readonly StateRow[];
  readonly forget: Group['forget'];
  committed(): void;
  /** Nothing of it was written (`StoreFull`), or that is unknown (`StoreFailed`). */
  refused(error: StoreFull | StoreFailed): void;
}

/**
 * Groups concurrent writes: all that come while one group is on its way to the disk make up the next, which shares one
 * transaction and one fsync. An answer waits for the fsync; the fsync waits for nobody.
 */
export class GroupCommit {
  readonly #worker: Worker;
  readonly #onFailed: (error: StoreFailed) => void;
  #waiting: Write[] = [];
  #writing: Write[] = [];
  #scheduled = false;
  readonly #ready = Promise.withResolvers<void>();
  #isReady = false;
  #closing = false;
  #failed: StoreFailed | undefined;
  #idle: (() => void) | undefined;

  /** @throws StoreFailed where the file cannot be opened. */
  static async start(path: string, onFailed: (error: StoreFailed) => void): Promise<GroupCommit> {
    const writes = new GroupCommit(path, onFailed);
    await writes.#ready.promise;
    return writes;
  }

  private constructor(path: string, onFailed: (error: StoreFailed) => void) {
    this.#onFailed = onFailed;
    this.#worker = new Worker(new URL('./writer.ts', import.meta.url), { workerData: { path } });
    this.#worker.on('message', (answer: WriterAnswer) => this.#answered(answer));
    this.#worker.on('error', (error) => this.#fail(error.message));
    this.#worker.on('exit', () => {
      if (!this.#closing) this.#fail('the writer stopped');
    });
  }

  get failed(): StoreFailed | undefined {
    return this.#failed;
  }

  add(write: Write): void {
    if (this.#failed !== undefined) {
      write.refused(this.#failed);
      return;
    }
    this.#waiting.push(write);
    if (this.#writing.length > 0 || this.#scheduled) return;
    this.#scheduled = true;
    // Once the requests that this turn of the event loop has read are all in.
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
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

  #answered(answer: WriterAnswer): void {
    if (answer.outcome === 'failed') {
      this.#fail(answer.message);
      return;
    }
    if (answer.outcome === 'ready') {
      this.#isReady = true;
      this.#ready.resolve();
      return;
    }
    const written = this.#writing;
    this.#writing = [];
    if (answer.outcome === 'committed') {
      for (const write of written) write.committed();
    } else if (answer.outcome === 'full') {
      // What waits was numbered after what was rolled back: it falls with it.
      const refused = [...written, ...this.#waiting];
      this.#waiting = [];
      const error = new StoreFull(`no room in the store: ${answer.message}`);
      for (const write of refused.reverse()) write.refused(error);
    }
    this.#send();
    if (this.#writing.length === 0) this.#idle?.();
  }

  #fail(message: string): void {
    if (this.#failed !== undefined) return;
    const error = new StoreFailed(`the store failed and takes no more writes: ${message}`);
    this.#failed = error;
    const lost = [...this.#writing, ...this.#waiting];
    this.#writing = [];
    this.#waiting = [];
    for (const write of lost) write.refused(error);
    this.#idle?.();
    if (this.#isReady) this.#onFailed(error);
    else this.#ready.reject(new StoreFailed(message));
  }

  /** Waits until all that was added is written. */
  async drain(): Promise<void> {
    if (this.#failed === undefined && (this.#writing.length > 0 || this.#waiting.length > 0)) {
      await new Promise<void>((resolve) => {
        this.#idle = () => {
          if (this.#writing.length === 0 && this.#waiting.length === 0) resolve();
        };
      });
    }
  }

  /** Ends the writer. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#failed !== undefined) {
      await this.#worker.terminate();
      return;
    }
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.postMessage('close');
    await exited;
  }
}
