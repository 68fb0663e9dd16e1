/**
 * Worker thread that writes to the SQLite file. While it waits for the disk, the main thread collects the next group. All
 * decisions are made in the main thread.
 */

import type { Stats } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { Position } from '../../util/log-numbers.ts';
import { messageOf } from '../../util/message-of.ts';
import { DIGEST_BYTES, type DigestOf } from '../event-store.ts';
import { type Acknowledged, AcknowledgedFile } from './acknowledged.ts';
import { checkLog, partsOf, type TailsPart } from './check-log.ts';
import { COMPLETE, checkpoint, isBusy, isFull, locked, openForWriting, statusOf } from './database.ts';
import { StoredEvent } from './stored-event.ts';

/** Row of the table `log`. */
export type LogRow = readonly [
  position: number,
  stream: string,
  revision: number,
  previous: number | null,
  id: string,
  type: string,
  data: string,
  metadata: string,
  recordedAt: number,
];
/** Row of the table `state`. */
export type StateRow = readonly [
  stream: string,
  revision: number,
  id: string,
  type: string,
  data: string,
  metadata: string,
  recordedAt: number,
];

/** Content of one transaction. */
export interface Group {
  readonly log: readonly LogRow[];
  readonly state: readonly StateRow[];
  /** State streams to shorten: events before revision `from` are deleted. */
  readonly forget: readonly { readonly stream: string; readonly from: number }[];
}

/** The values that the thread is started with. */
export interface WriterData {
  readonly path: string;
  /** URL of a module that exports `digestOf`, a `DigestOf`. */
  readonly digests: string | undefined;
  /** Position of the last event of a log that is checked before the file is opened for writing; absent if it was checked. */
  readonly uncheckedHead: Position | undefined;
}

/** Messages to the thread, beside a `Group`. */
export type WriterCommand =
  | { readonly command: 'acknowledge'; readonly known: Acknowledged }
  /** A signed checkpoint covers all events up to the position. */
  | { readonly command: 'signed'; readonly position: number }
  | { readonly command: 'close' };

export type WriterAnswer =
  /** Some tails of a checked log. All of them are sent before `ready`. */
  | { readonly outcome: 'tails'; readonly part: TailsPart }
  | { readonly outcome: 'ready' }
  /** `digests` are those of the rows of the log, one after the other; absent if nobody asks for them or one cannot be computed. */
  | { readonly outcome: 'committed'; readonly digests: Uint8Array | undefined }
  /** Rolled back: nothing of the group was written. */
  | { readonly outcome: 'full'; readonly message: string }
  /** Another program holds the write lock: nothing of the group was written. */
  | { readonly outcome: 'busy' }
  /** It is unknown what was written. The thread has stopped. */
  | { readonly outcome: 'failed'; readonly message: string };

/**
 * Number of written bytes after which the write-ahead log is copied into the file (checkpoint). It happens between commits: if
 * an automatic checkpoint failed, SQLite would report the commit as failed although it succeeded.
 */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;
const ROW_OVERHEAD_BYTES = 128;
/** Size of a page. A commit writes at least one. */
const PAGE_BYTES = 4_096;
/** Maximum time that a group waits for another program to release the write lock. */
const BUSY_MS = 1_000;

/** Another program has changed the file, or put another file in its place. */
class ForeignWrite extends Error {}

/** Writes groups to the file. */
class Writer {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #insertLog: StatementSync;
  readonly #insertState: StatementSync;
  readonly #forget: StatementSync;
  readonly #dataVersion: StatementSync;
  readonly #file: Stats | undefined;
  #acknowledged: AcknowledgedFile | undefined;
  #version: number;
  #bytes = 0;
  /** Whether a checkpoint has left the mark that `COMPLETE` removes. */
  #isIncomplete: boolean;

  constructor(path: string) {
    this.#path = path;
    this.#db = openForWriting(path);
    this.#isIncomplete = !checkpoint(this.#db);
    this.#insertLog = this.#db.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#insertState = this.#db.prepare('INSERT INTO state VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#forget = this.#db.prepare('DELETE FROM state WHERE stream = ? AND revision < ?');
    this.#dataVersion = this.#db.prepare('PRAGMA data_version');
    this.#dataVersion.setReturnArrays(true);
    this.#file = statusOf(path);
    this.#db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    this.#version = this.#currentVersion();
    this.hold();
    if (!this.#db.isTransaction) throw locked(path);
  }

  acknowledgeIn(known: Acknowledged): void {
    this.#acknowledged = new AcknowledgedFile(this.#path, known);
  }

  signed(position: number): void {
    this.#acknowledged?.signed(position);
  }

  /**
   * Takes the write lock between two groups, so that no other program can write. Another program may be faster; its lock is
   * waited for by the next group.
   */
  hold(): void {
    try {
      if (!this.#db.isTransaction) this.#db.exec('BEGIN IMMEDIATE');
    } catch (error) {
      if (!isBusy(error)) throw error;
    }
  }

  /** @returns `'busy'` if another program holds the write lock. @throws ForeignWrite, and the errors of SQLite */
  write(group: Group): 'committed' | 'busy' {
    this.hold();
    if (!this.#db.isTransaction) return 'busy';
    this.#checkForeignWrites();
    this.#bytes += PAGE_BYTES;
    if (this.#isIncomplete) this.#db.exec(COMPLETE);
    for (const row of group.log) {
      this.#insertLog.run(...row);
      this.#bytes += row[6].length + row[7].length + ROW_OVERHEAD_BYTES;
    }
    for (const row of group.state) this.#insertState.run(...row);
    for (const { stream, from } of group.forget) this.#forget.run(stream, from);
    this.#db.exec('COMMIT');
    this.#isIncomplete = false;
    this.#acknowledged?.add(group.log);
    this.hold();
    return 'committed';
  }

  rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    this.hold();
  }

  /** Copies the write-ahead log into the file if it is long. */
  checkpointIfDue(): void {
    if (this.#bytes < CHECKPOINT_BYTES) return;
    this.#bytes = 0;
    if (this.#db.isTransaction) this.#db.exec('COMMIT');
    this.#isIncomplete = !checkpoint(this.#db);
  }

  close(): void {
    if (this.#db.isTransaction) this.#db.exec('COMMIT');
    this.#db.close();
    this.#acknowledged?.close();
  }

  #checkForeignWrites(): void {
    const version = this.#currentVersion();
    if (version !== this.#version) throw new ForeignWrite(`another program has written to ${this.#path}`);
    const file = statusOf(this.#path);
    if (file?.ino !== this.#file?.ino || file?.dev !== this.#file?.dev)
      throw new ForeignWrite(`${this.#path} was moved, replaced or deleted while the ledger used it`);
  }

  /** Returns a number that changes if another connection has written. */
  #currentVersion(): number {
    return (this.#dataVersion.get() as unknown as [number])[0];
  }
}

/** Returns the digests of rows; `undefined` if one cannot be computed: the follower that needs it then finds out why. */
function digestsOf(rows: readonly LogRow[], digestOf: DigestOf): Uint8Array<ArrayBuffer> | undefined {
  const digests = new Uint8Array(rows.length * DIGEST_BYTES);
  try {
    for (const [i, [position, stream, revision, , ...rest]] of rows.entries())
      digests.set(digestOf(new StoredEvent(position, stream, revision, ...rest)), i * DIGEST_BYTES);
    return digests;
  } catch {
    return undefined;
  }
}

async function serve(port: NonNullable<typeof parentPort>): Promise<void> {
  const answer = (message: WriterAnswer, transferred: ArrayBuffer[] = []) =>
    port.postMessage(message, transferred);
  const fail = (error: unknown) => {
    answer({ outcome: 'failed', message: messageOf(error) });
    port.close();
  };
  try {
    const { path, digests: module, uncheckedHead } = workerData as WriterData;
    if (uncheckedHead !== undefined)
      for (const part of partsOf(checkLog(path, uncheckedHead)))
        answer({ outcome: 'tails', part }, [part.numbers.buffer]);
    const writer = new Writer(path);
    const { digestOf } =
      module === undefined ? { digestOf: undefined } : ((await import(module)) as { digestOf: DigestOf });
    const write = (group: Group) => {
      try {
        const outcome = writer.write(group);
        const digests =
          outcome === 'busy' || digestOf === undefined ? undefined : digestsOf(group.log, digestOf);
        answer({ outcome, digests }, digests === undefined ? [] : [digests.buffer]);
      } catch (error) {
        if (!isFull(error)) throw error;
        writer.rollBack();
        answer({ outcome: 'full', message: messageOf(error) });
      }
      writer.checkpointIfDue();
      writer.hold();
    };
    const handle = (message: Group | WriterCommand) => {
      if (!('command' in message)) return write(message);
      if (message.command === 'acknowledge') return writer.acknowledgeIn(message.known);
      if (message.command === 'signed') return writer.signed(message.position);
      writer.close();
      port.close();
    };
    port.on('message', (message: Group | WriterCommand) => {
      try {
        handle(message);
      } catch (error) {
        fail(error);
      }
    });
    answer({ outcome: 'ready' });
  } catch (error) {
    fail(error);
  }
}

if (parentPort !== null) await serve(parentPort);
