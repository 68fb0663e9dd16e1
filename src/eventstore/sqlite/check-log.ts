import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Position } from '../../util/log-numbers.ts';
import { StoreFailed } from '../store-errors.ts';
import { explained, integer, openForReading } from './database.ts';
import { FEW_STREAMS_INDEX, isClusterStream, OF_FEW_STREAMS } from './schema.ts';
import { durableTail, type LogTails, readLogTails, type Tail } from './stream-tails.ts';

/** Number of tails in a part. Taking one over holds the event loop for about a millisecond. */
const PART = 2_000;

/** Some of the tails of a checked log, in a form that costs little to send to another thread. */
export interface TailsPart {
  readonly streams: readonly string[];
  /** Revision and position of the last event of each stream. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** The marks of streams that have some, by the index of the stream. */
  readonly marks: ReadonlyMap<number, number[]>;
}

/** Returns whether a log of at least so many events can be read before it is checked. */
export function isReadableUnchecked(db: DatabaseSync, events: number): boolean {
  if (headOf(db) < events) return false;
  // Absent in a file of a former release until the first start of this one.
  return integer(db, `SELECT count(*) FROM sqlite_schema WHERE name = '${FEW_STREAMS_INDEX}'`) > 0;
}

/** Returns the position of the last event of a log that may not be checked yet. */
export function headOf(db: DatabaseSync): Position {
  return integer(db, 'SELECT ifnull(max(position), 0) FROM log');
}

/** Prepares the query for the last revision and position of a stream that `OF_FEW_STREAMS` selects. */
export function prepareTailQuery(db: DatabaseSync): StatementSync {
  return db.prepare(
    `SELECT revision, position FROM log WHERE stream = ? AND ${OF_FEW_STREAMS} ORDER BY position DESC LIMIT 1`,
  );
}

/**
 * Checks a log that is already read. @param head the position of its last event for those who read it.
 * @returns the tails of its streams.
 * @throws StoreFailed at the first event that does not follow the one before it, and if those who read the log may have seen another
 * one.
 */
export function checkLog(path: string, head: Position): Map<string, Tail> {
  const db = openForReading(path);
  try {
    const checked = readLogTails(db);
    if (checked.head !== head)
      throw new StoreFailed(
        `another program has written to ${path}: it had ${head} events, and now ${checked.head}`,
      );
    compareWithIndex(db, checked);
    return checked.tails;
  } catch (error) {
    throw explained(error, path);
  } finally {
    db.close();
  }
}

/** @throws StoreFailed if the index has other events than the log. */
function compareWithIndex(db: DatabaseSync, { tails }: LogTails): void {
  const rows = db
    .prepare(
      `SELECT stream, count(*) AS events, max(position) AS last FROM log INDEXED BY ${FEW_STREAMS_INDEX} WHERE ${OF_FEW_STREAMS} GROUP BY stream`,
    )
    .all();
  const few = [...tails].filter(([stream]) => !isClusterStream(stream));
  const isEqual =
    rows.length === few.length &&
    rows.every(({ stream, events, last }) => {
      const tail = tails.get(String(stream));
      return tail !== undefined && tail.revision + 1 === events && tail.position === last;
    });
  if (!isEqual)
    throw new StoreFailed(
      `the log is damaged: the index ${FEW_STREAMS_INDEX} does not have the events that the log has; rebuild it with sqlite3 and REINDEX ${FEW_STREAMS_INDEX}`,
    );
}

/** Divides tails into parts. */
export function* partsOf(tails: ReadonlyMap<string, Tail>): Generator<TailsPart> {
  const all = [...tails];
  for (let from = 0; from < all.length; from += PART) {
    const some = all.slice(from, from + PART);
    yield {
      streams: some.map(([stream]) => stream),
      numbers: new Float64Array(some.flatMap(([, { revision, position }]) => [revision, position])),
      marks: new Map(some.flatMap(([, { marks }], i) => (marks === undefined ? [] : [[i, marks]]))),
    };
  }
}

/** Adds the tails of a part. */
export function addPart(tails: Map<string, Tail>, { streams, numbers, marks }: TailsPart): void {
  for (const [i, stream] of streams.entries())
    tails.set(stream, durableTail(numbers[2 * i] as number, numbers[2 * i + 1] as number, marks.get(i)));
}
