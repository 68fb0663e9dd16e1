import { rmSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { EventLoopYielder } from '../../util/event-loop-yielder.ts';
import {
  type Append,
  type Batch,
  DIGEST_BYTES,
  type EventStore,
  type Expected,
  type LogEvent,
  type NewEvent,
  type ReadOptions,
  type RecordedEvent,
  type StoreHealth,
  type StoreLoss,
} from '../event-store.ts';
import { isStateStream, type PreparedEvent, prepareAppend } from '../prepare-append.ts';
import { LogBehind, StoreClosed, type StoreFailed, VersionConflict } from '../store-errors.ts';
import { AssignedAppend } from './assigned-append.ts';
import { addPart, prepareTailQuery, type TailsPart } from './check-log.ts';
import { canonicalPath, lockFile, openForReading } from './database.ts';
import type { GroupCommit } from './group-commit.ts';
import { emptyDatabase, type OpenedFile, openFile, startWriting } from './open-file.ts';
import { isClusterStream } from './schema.ts';
import { StoredEvent } from './stored-event.ts';
import { absentTail, durableTail, MARK_EVERY, positionFrom, type Tail } from './stream-tails.ts';
import type { LogRow, StateRow } from './writer.ts';

export interface SqliteOptions {
  /** Called once if the store fails. The process must then stop. */
  readonly onFailed?: (error: StoreFailed) => void;
  /** Whether to open the file for writing although it lacks events that were acknowledged. */
  readonly acceptLoss?: boolean;
  /** URL of a module that exports `digestOf`, a `DigestOf`. The writer thread then computes the digests of new events. */
  readonly digests?: string;
  /** Whether the file is only read, and not changed. Appends throw. */
  readonly readOnly?: boolean;
  /**
   * Number of events from which on a log can be read before it is checked. Appends, and reads of a cluster's stream, wait until it is.
   * If it is damaged, the store fails. By default every log is checked before it can be read.
   */
  readonly readableUncheckedFrom?: number;
}

/** A call that waits until the log is checked. */
interface Waiting {
  readonly begin: () => void;
  readonly reject: (error: unknown) => void;
}

type Row = [number, string, number, string, string, string, string, number];

const COLUMNS = 'position, stream, revision, id, type, data, metadata, recorded_at';
const PAGE = 1_000;
/** Size of the first page of a read of the log: one tile of the Merkle tree, so that reading a tile does not wait for more. */
const FIRST_PAGE = 256;
/** Number of recent events in memory, for followers near the end of the log. */
const RECENT = 8_192;

/**
 * Embedded event store: one SQLite file that this process has locked. Reads have their own connection and see committed events;
 * writes are grouped (`GroupCommit`). The tails of all streams are in memory and guarantee that revisions are unique; the whole
 * log is checked at start, before anything is written. A file that lacks acknowledged events is only read, and not changed, not even
 * by a recovery.
 */
export class SqliteStore implements EventStore {
  readonly isSoleWriter = true;
  readonly loss: StoreLoss | undefined;
  readonly #lock: DatabaseSync;
  readonly #db: DatabaseSync;
  /** Absent if the file is only read, because acknowledged events are missing or the caller wants so. */
  readonly #writes: GroupCommit | undefined;
  /** Files that SQLite creates for reading, if there was no write-ahead log. A file that is only read must look as before. */
  readonly #leftovers: readonly string[];
  readonly #tails: Map<string, Tail>;
  /** The calls that wait until the log is checked, in their order; `undefined` once it is. */
  #waiting: Waiting[] | undefined;
  /** Why the log could not be checked. */
  #uncheckable: StoreFailed | StoreClosed | undefined;
  /** Prepared while the log is being checked. */
  #tailOf: StatementSync | undefined;
  readonly #logPage: StatementSync;
  readonly #logEvent: StatementSync;
  readonly #statePage: StatementSync;
  /** Last assigned position. It is ahead of the disk while writes are in progress. */
  #assigned: number;
  #head: number;
  #recent: StoredEvent[] = [];
  readonly #followers = new Set<() => void>();
  #closed = false;

  /** Opens or creates the file. @throws StoreFailed if the file is in use, is not a ledger, or is damaged. */
  static async open(file: string, options: SqliteOptions = {}): Promise<SqliteStore> {
    const path = canonicalPath(file);
    const lock = lockFile(path);
    try {
      const { onFailed = () => undefined, digests, acceptLoss = false, readOnly = false } = options;
      const opened = openFile(path, readOnly ? Infinity : options.readableUncheckedFrom);
      try {
        const isHeld = readOnly || (opened.loss !== undefined && !acceptLoss);
        let writes: GroupCommit | undefined;
        if (!isHeld) {
          const onTails = (part: TailsPart) => addPart(opened.tails, part);
          writes = startWriting(opened, { onFailed, digests, onTails });
          if (opened.isChecked) await writes.ready;
        }
        const store = new SqliteStore(lock, opened, writes);
        if (!opened.isChecked)
          writes?.ready.then(
            () => store.#endCheck(),
            (error: StoreFailed) => {
              store.#endCheck(error);
              if (!store.isClosed) onFailed(error);
            },
          );
        return store;
      } catch (error) {
        opened.db?.close();
        throw error;
      }
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  private constructor(
    lock: DatabaseSync,
    { path, db, loss, tails, head, wal, isChecked }: OpenedFile,
    writes: GroupCommit | undefined,
  ) {
    this.#lock = lock;
    this.#writes = writes;
    this.#leftovers = writes === undefined && wal === undefined ? [`${path}-wal`, `${path}-shm`] : [];
    this.loss = writes === undefined ? loss : undefined;
    this.#db = db ?? (writes === undefined ? emptyDatabase() : openForReading(path));
    this.#tails = tails;
    this.#assigned = this.#head = head;
    this.#logPage = this.#db.prepare(
      `SELECT ${COLUMNS} FROM log WHERE position > ? ORDER BY position LIMIT ?`,
    );
    this.#logEvent = this.#db.prepare(`SELECT ${COLUMNS}, previous FROM log WHERE position = ?`);
    this.#statePage = this.#db.prepare(
      `SELECT 0, ${COLUMNS.replace('position, ', '')} FROM state WHERE stream = ? AND revision BETWEEN ? AND ? ORDER BY revision`,
    );
    for (const statement of [this.#logPage, this.#logEvent, this.#statePage]) statement.setReturnArrays(true);
    if (!isChecked) {
      this.#waiting = [];
      this.#tailOf = prepareTailQuery(this.#db);
    }
  }

  append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    // Not an async function, so that events get positions in the order of the calls.
    if (this.#waiting !== undefined) return this.#onceChecked(() => this.append(stream, events, expected));
    try {
      const writes = this.#writer();
      const begun = this.#begin({ stream, events, expected });
      if (begun instanceof Promise) return begun;
      return this.#write(writes, [begun]).then(() => begun.lastRevision);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  appendAll(appends: readonly Append[]): Promise<PromiseSettledResult<number>[]> {
    if (this.#waiting !== undefined)
      return this.#onceChecked(() => this.appendAll(appends)).catch((reason: unknown) =>
        appends.map(() => ({ status: 'rejected', reason })),
      );
    let writes: GroupCommit;
    try {
      writes = this.#writer();
    } catch (reason) {
      return Promise.resolve(appends.map(() => ({ status: 'rejected', reason })));
    }
    const begun = appends.map((append) => this.#begin(append));
    const assigned = begun.filter((each) => each instanceof AssignedAppend);
    const written = this.#write(writes, assigned);
    if (assigned.length < begun.length)
      return Promise.allSettled(
        begun.map((each) => (each instanceof AssignedAppend ? written.then(() => each.lastRevision) : each)),
      );
    return written.then(
      () => assigned.map(({ lastRevision: value }) => ({ status: 'fulfilled', value })),
      (reason: unknown) => assigned.map(() => ({ status: 'rejected', reason })),
    );
  }

  /** Gives the events of an append their revisions and positions; otherwise returns the result of the append. */
  #begin({ stream, events, expected }: Append): AssignedAppend | Promise<number> {
    try {
      const prepared = prepareAppend(stream, events);
      const known = this.#tails.get(stream);
      const tail = known ?? absentTail();
      const wanted = expected === 'absent' ? -1 : expected;
      if (tail.revision !== wanted) return this.#repeatOrConflict(stream, prepared, wanted);
      if (known === undefined) this.#tails.set(stream, tail);
      const append = new AssignedAppend(stream, tail, prepared, this.#assigned);
      this.#assigned += append.positions;
      return append;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #write(writes: GroupCommit, appends: readonly AssignedAppend[]): Promise<void> {
    const log: LogRow[] = [];
    const state: StateRow[] = [];
    for (const append of appends) append.addRows(log, state);
    return new Promise((resolve, reject) => {
      writes.add({
        log,
        state,
        forget: [],
        committed: (digests, digestsAt) => {
          let at = digestsAt;
          for (const append of appends) {
            this.#recent.push(...append.commit(digests, at));
            at += append.positions * DIGEST_BYTES;
          }
          if (this.#recent.length > 2 * RECENT) this.#recent = this.#recent.slice(-RECENT);
          this.#head += log.length;
          if (log.length > 0) for (const wake of this.#followers) wake();
          resolve();
        },
        rejected: (error) => {
          for (const append of appends.toReversed()) append.rollBack();
          this.#assigned -= log.length;
          reject(error);
        },
      });
    });
  }

  /** Handles an append to a stream that is not in the expected state: the repeat of an earlier append, or a conflict. */
  async #repeatOrConflict(stream: string, events: readonly PreparedEvent[], wanted: number): Promise<number> {
    await this.#settled(stream);
    const stored: RecordedEvent[] = [];
    for await (const event of this.readStream(stream, { from: wanted + 1, limit: events.length }))
      stored.push(event);
    const isRepeat = stored.length === events.length && stored.every(({ id }, i) => id === events[i]?.id);
    const last = stored.at(-1);
    if (!isRepeat || last === undefined || last.revision !== wanted + events.length) {
      const actual = this.#tails.get(stream)?.durableRevision ?? -1;
      throw new VersionConflict(`${stream} is at revision ${actual}, not at ${wanted}`);
    }
    return last.revision;
  }

  /** Waits for writes to a stream in progress, so that the result does not depend on a write that may still fail. */
  async #settled(stream: string): Promise<void> {
    const tail = this.#tails.get(stream);
    if (tail === undefined || tail.revision === tail.durableRevision) return;
    await new Promise<void>((resolve, reject) => {
      this.#writer().add({ log: [], state: [], forget: [], committed: () => resolve(), rejected: reject });
    });
  }

  /** Begins a call once the log is checked. Calls begin in the order in which they were made. */
  #onceChecked<T>(call: () => Promise<T>): Promise<T> {
    if (this.#waiting === undefined) return call();
    if (this.#uncheckable !== undefined) return Promise.reject(this.#uncheckable);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push({ begin: () => call().then(resolve, reject), reject });
    return promise;
  }

  /** Begins the calls that wait. @param error why the log could not be checked: they are then rejected, as all later ones are. */
  #endCheck(error?: StoreFailed | StoreClosed): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#uncheckable ??= error;
    this.#waiting = error === undefined ? undefined : [];
    for (const { begin, reject } of waiting) {
      if (error === undefined) begin();
      else reject(error);
    }
  }

  /** Returns the tail of a stream while the log is being checked; `undefined` if there are no events. Those of clusters are waited for. */
  async #uncheckedTail(stream: string): Promise<Tail | undefined> {
    if (isClusterStream(stream)) await this.#onceChecked(async () => undefined);
    if (isClusterStream(stream) || isStateStream(stream)) return this.#tails.get(stream);
    const row = this.#tailOf?.get(stream);
    return row && durableTail(Number(row['revision']), Number(row['position']));
  }

  async *readStream(stream: string, options: ReadOptions = {}): AsyncGenerator<RecordedEvent> {
    this.#checkOpen();
    const known = this.#waiting === undefined ? this.#tails.get(stream) : await this.#uncheckedTail(stream);
    const tail = known ?? absentTail();
    const last = tail.durableRevision;
    const limit = options.limit ?? Number.POSITIVE_INFINITY;
    const backwards = options.direction === 'backwards';
    const from = options.from ?? (backwards ? last : 0);
    const upper = backwards ? Math.min(from, last) : Math.min(last, from + limit - 1);
    const lower = backwards ? Math.max(0, upper - limit + 1) : from;
    if (upper < lower) return;
    if (isStateStream(stream)) {
      const rows = (this.#statePage.all(stream, lower, upper) as unknown as Row[]).map(toEvent);
      yield* backwards ? rows.reverse() : rows;
      return;
    }
    // The events up to the last one at the time of the call, part by part.
    const { durablePosition } = tail;
    const yielder = new EventLoopYielder();
    const parts = Math.floor(upper / MARK_EVERY) - Math.floor(lower / MARK_EVERY) + 1;
    for (let i = 0; i < parts; i++) {
      const part = backwards ? Math.floor(upper / MARK_EVERY) - i : Math.floor(lower / MARK_EVERY) + i;
      const first = Math.max(lower, part * MARK_EVERY);
      const lastOfPart = Math.min(upper, (part + 1) * MARK_EVERY - 1);
      const from = Math.min(positionFrom(tail, lastOfPart), durablePosition);
      const events = this.#chain(from, first, lastOfPart);
      yield* backwards ? events : events.reverse();
      if (yielder.isDue) await yielder.yield();
      this.#checkOpen();
    }
  }

  /** Returns the events of a stream from revision `upper` down to `lower`, following `previous` from an event behind them. */
  #chain(from: number, lower: number, upper: number): RecordedEvent[] {
    const events: RecordedEvent[] = [];
    for (let position: number | null = from; position !== null; ) {
      const row = this.#logEvent.get(position) as unknown as [...Row, number | null];
      if (row[2] < lower) break;
      if (row[2] <= upper) events.push(toEvent(row));
      position = row[8];
    }
    return events;
  }

  async *readAll(after: number): AsyncGenerator<readonly LogEvent[]> {
    this.#checkOpen();
    const head = this.#head;
    for (let position = after; position < head; ) {
      const page = position === after ? FIRST_PAGE : PAGE;
      const events = this.#page(position, Math.min(page, head - position));
      if (events.length === 0) return;
      position += events.length;
      // A reader that reads the log again wants what is stored.
      yield events.map((event) => event.withoutContent);
      this.#checkOpen();
    }
  }

  #page(after: number, limit: number): StoredEvent[] {
    const oldest = this.#recent[0]?.position;
    if (oldest !== undefined && after + 1 >= oldest)
      return this.#recent.slice(after + 1 - oldest, after + 1 - oldest + limit);
    return (this.#logPage.all(after, limit) as unknown as Row[]).map(toEvent);
  }

  async *follow(after: number, signal: AbortSignal): AsyncGenerator<Batch> {
    this.#checkOpen();
    let position = after;
    let wake: () => void = () => undefined;
    const wakeUp = () => wake();
    this.#followers.add(wakeUp);
    signal.addEventListener('abort', wakeUp);
    try {
      for (let first = true; !signal.aborted && !this.#closed; first = false) {
        const events = this.#page(position, PAGE);
        position += events.length;
        if (events.length > 0 || first) yield { events, caughtUp: position >= this.#head };
        if (events.length === PAGE) {
          // Yields to the event loop during a long replay.
          await new Promise(setImmediate);
        } else if (position >= this.#head && !signal.aborted && !this.#closed) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      this.#followers.delete(wakeUp);
      signal.removeEventListener('abort', wakeUp);
    }
  }

  async head(): Promise<number> {
    this.#checkOpen();
    return this.#head;
  }

  async keepLast(stream: string, count: number): Promise<void> {
    if (this.#waiting !== undefined) return this.#onceChecked(() => this.keepLast(stream, count));
    const writes = this.#writer();
    if (!isStateStream(stream))
      throw new RangeError(`${stream} is not a state stream: events of the log are never deleted`);
    const tail = this.#tails.get(stream);
    if (tail === undefined) return;
    const from = tail.revision - count + 1;
    await new Promise<void>((resolve, reject) => {
      writes.add({
        log: [],
        state: [],
        forget: [{ stream, from }],
        committed: () => resolve(),
        rejected: reject,
      });
    });
  }

  async stateStreams(): Promise<readonly string[]> {
    this.#checkOpen();
    const rows = this.#db.prepare('SELECT DISTINCT stream FROM state ORDER BY stream').all();
    return rows.map(({ stream }) => String(stream));
  }

  signed(position: number): void {
    this.#writes?.signed(position);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  health(): StoreHealth {
    const failed = this.#writes?.failed;
    const unchecked = this.#waiting === undefined ? undefined : { unchecked: this.#head };
    return {
      reachable: failed === undefined,
      unreachableSince: undefined,
      detail: failed?.message,
      ...unchecked,
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const wake of this.#followers) wake();
    this.#endCheck(new StoreClosed('the store is closed'));
    await this.#writes?.drain();
    // The last connection to close copies the write-ahead log into the file, so it must be the one that can write.
    this.#db.close();
    await this.#writes?.close();
    for (const file of this.#leftovers) rmSync(file, { force: true });
    this.#lock.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new StoreClosed('the store is closed');
  }

  /** @throws StoreClosed, LogBehind */
  #writer(): GroupCommit {
    this.#checkOpen();
    if (this.#writes === undefined) throw new LogBehind(this.loss?.why);
    if (this.#writes.failed !== undefined) throw this.#writes.failed;
    return this.#writes;
  }
}

function toEvent([position, stream, revision, id, type, data, metadata, recordedAt]: readonly [
  ...Row,
  ...unknown[],
]) {
  return new StoredEvent(position, stream, revision, id, type, data, metadata, recordedAt);
}
