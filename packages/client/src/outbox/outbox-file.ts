import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { OutboxError, type Problem } from '../errors.ts';
import type { LifecycleEvent } from '../events.ts';

/** An event that waits to be sent. */
export interface WaitingEvent {
  /** Its place in the outbox: events of one cluster are sent in this order. */
  readonly place: number;
  readonly clusterId: string;
  /** The event as JSON, exactly as it is sent. */
  readonly text: string;
}

/** An event that the ledger rejected. It stays in the outbox until it is retried or discarded. */
export interface RejectedEvent {
  readonly event: LifecycleEvent;
  readonly problem: Problem;
  readonly rejectedAt: Date;
}

const VERSION = 1;

/** How long a call waits while another process writes, in milliseconds. */
const BUSY_MS = 10_000;

const SCHEMA = `
  CREATE TABLE event (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    cluster TEXT NOT NULL,
    text TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    -- The problem of a rejected event; NULL while the event waits.
    problem TEXT,
    rejected_at INTEGER,
    -- Whether the app was told about the rejection.
    told INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source, id)
  ) STRICT;
  CREATE INDEX waiting ON event (cluster, place) WHERE problem IS NULL;
  CREATE INDEX untold ON event (place) WHERE problem IS NOT NULL AND told = 0;
`;

type Row = Record<string, SQLOutputValue>;

/** The events of an outbox in a SQLite file. Every change is on disk when the call returns. */
export class OutboxFile {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens or creates a file. @throws OutboxError with code `unusable` if that is not possible. */
  constructor(file: string) {
    this.#file = file;
    try {
      // The facts are about customers: nobody but the owner of the process needs to read them.
      closeSync(openSync(file, 'a', 0o600));
      this.#db = new DatabaseSync(file);
      this.#db.exec(
        `PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304`,
      );
      this.#transaction(() => this.#prepareSchema());
    } catch (error) {
      if (error instanceof OutboxError) throw error;
      throw this.#unusable(error);
    }
  }

  /**
   * Adds events, all or none.
   * @param maxEvents number of events that the outbox may hold.
   * @returns the number of events that the outbox did not have.
   * @throws OutboxError
   */
  add(events: readonly LifecycleEvent[], maxEvents: number, now: number): number {
    return this.#guarded(() =>
      this.#transaction(() => {
        const added = events.filter((event) => this.#insert(event, now)).length;
        const count = Number(this.#get('SELECT count(*) AS n FROM event')?.['n']);
        if (added > 0 && count > maxEvents)
          throw new OutboxError(
            'full',
            `the outbox ${this.#file} holds ${count - added} events of at most ${maxEvents}; nothing was stored. Find out why the ledger takes none, and discard rejected events.`,
          );
        return added;
      }),
    );
  }

  #insert(event: LifecycleEvent, now: number): boolean {
    const { source, id, subject } = event;
    const text = JSON.stringify(event);
    const known = this.#get('SELECT text FROM event WHERE source = ? AND id = ?', source, id);
    if (known !== undefined) {
      if (known['text'] === text) return false;
      throw new OutboxError(
        'id-reused',
        `the outbox has an event with id ${JSON.stringify(id)} and other content; nothing was stored. Give a new event a new id.`,
      );
    }
    this.#run(
      'INSERT INTO event (source, id, cluster, text, added_at) VALUES (?, ?, ?, ?, ?)',
      source,
      id,
      subject,
      text,
      now,
    );
    return true;
  }

  /** Returns the first waiting event of each cluster, oldest first. */
  heads(limit: number, isBlocked: (clusterId: string) => boolean): WaitingEvent[] {
    const first = this.#prepare(
      `SELECT e.place, e.cluster, e.text FROM event e
       JOIN (SELECT min(place) AS place FROM event WHERE problem IS NULL GROUP BY cluster) h ON e.place = h.place
       ORDER BY e.place`,
    );
    const heads: WaitingEvent[] = [];
    for (const row of first.iterate() as Iterable<Row>) {
      const clusterId = String(row['cluster']);
      if (isBlocked(clusterId)) continue;
      heads.push({ place: Number(row['place']), clusterId, text: String(row['text']) });
      if (heads.length === limit) break;
    }
    return heads;
  }

  /** Removes events that the ledger has recorded, and keeps the problems of those that it rejected. */
  settle(recorded: readonly number[], rejected: readonly (readonly [number, Problem])[], now: number): void {
    this.#transaction(() => {
      for (const place of recorded) this.#run('DELETE FROM event WHERE place = ?', place);
      for (const [place, problem] of rejected)
        this.#run(
          'UPDATE event SET problem = ?, rejected_at = ? WHERE place = ?',
          JSON.stringify(problem),
          now,
          place,
        );
    });
  }

  /** Returns rejected events, oldest first. @param isUntold only those that the app was not told about. */
  rejected(limit: number, isUntold = false): (RejectedEvent & { readonly place: number })[] {
    const condition = isUntold ? 'AND told = 0' : '';
    const rows = this.#prepare(
      `SELECT place, text, problem, rejected_at FROM event WHERE problem IS NOT NULL ${condition} ORDER BY place LIMIT ?`,
    ).all(limit) as Row[];
    return rows.map((row) => ({
      place: Number(row['place']),
      event: JSON.parse(String(row['text'])) as LifecycleEvent,
      problem: JSON.parse(String(row['problem'])) as Problem,
      rejectedAt: new Date(Number(row['rejected_at'])),
    }));
  }

  /** Remembers that the app was told about a rejection. */
  markTold(place: number): void {
    this.#run('UPDATE event SET told = 1 WHERE place = ?', place);
  }

  /** Lets a rejected event wait again, behind the other events of its cluster. @returns whether there was one. */
  retry(source: string, id: string): boolean {
    return this.#guarded(
      () =>
        this.#run(
          `UPDATE event SET problem = NULL, rejected_at = NULL, told = 0, place = (SELECT max(place) + 1 FROM event)
           WHERE source = ? AND id = ? AND problem IS NOT NULL`,
          source,
          id,
        ) > 0,
    );
  }

  /** Removes a rejected event. @returns whether there was one. */
  discard(source: string, id: string): boolean {
    return this.#guarded(
      () =>
        this.#run('DELETE FROM event WHERE source = ? AND id = ? AND problem IS NOT NULL', source, id) > 0,
    );
  }

  /** Returns how many events wait and were rejected, and when the oldest waiting one was added. */
  counts(): { waiting: number; rejected: number; oldestAt: number | undefined } {
    return this.#guarded(() => {
      const row = this.#get(
        `SELECT count(*) AS total, count(problem) AS rejected, min(CASE WHEN problem IS NULL THEN added_at END) AS oldest FROM event`,
      ) as Row;
      const { total, rejected, oldest } = row;
      return {
        waiting: Number(total) - Number(rejected),
        rejected: Number(rejected),
        oldestAt: oldest === null ? undefined : Number(oldest),
      };
    });
  }

  isEmpty(): boolean {
    return this.#guarded(() => this.#get('SELECT 1 FROM event WHERE problem IS NULL LIMIT 1') === undefined);
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #prepareSchema(): void {
    const version = Number(this.#db.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version === VERSION) return;
    const tables = this.#db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'];
    if (version !== 0 || tables !== 0)
      throw new OutboxError(
        'unusable',
        `${this.#file} is not an outbox of this release of the client; it was not changed`,
      );
    this.#db.exec(`${SCHEMA} PRAGMA user_version = ${VERSION}`);
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #get(sql: string, ...values: (string | number)[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  #run(sql: string, ...values: (string | number)[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #guarded<T>(work: () => T): T {
    if (!this.#db.isOpen)
      throw new OutboxError('closed', `the outbox ${this.#file} is closed; nothing was stored`);
    try {
      return work();
    } catch (error) {
      throw error instanceof OutboxError ? error : this.#unusable(error);
    }
  }

  #unusable(error: unknown): OutboxError {
    const { message } = error as Error;
    return new OutboxError(
      'unusable',
      `the outbox ${this.#file} cannot be used: ${message}; nothing was stored`,
      {
        cause: error,
      },
    );
  }
}
