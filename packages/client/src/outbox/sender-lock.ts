import { DatabaseSync } from 'node:sqlite';

/**
 * The right to send the events of an outbox. One process has it at a time, so that the events of a cluster stay in order. The
 * lock is one of the operating system on a file beside the outbox: it ends with its process, however that ends.
 */
export class SenderLock {
  readonly #file: string;
  #db: DatabaseSync | undefined;

  constructor(outboxFile: string) {
    this.#file = `${outboxFile}-sender`;
  }

  /** Takes the lock, if this process does not have it. @returns false while another process has it. */
  take(): boolean {
    if (this.#db !== undefined) return true;
    const db = new DatabaseSync(this.#file);
    try {
      db.exec('BEGIN EXCLUSIVE');
      this.#db = db;
      return true;
    } catch (error) {
      db.close();
      if (isBusy(error)) return false;
      throw error;
    }
  }

  release(): void {
    this.#db?.close();
    this.#db = undefined;
  }
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return ((error as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY;
}
