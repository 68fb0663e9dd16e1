import type { DatabaseSync } from 'node:sqlite';
import type { Position } from '../../util/log-numbers.ts';
import { StoreFailed } from '../store-errors.ts';

/**
 * End of a stream: the last revision and position assigned, and the last ones that are durable. Events are linked backwards,
 * so that long streams also have marks from which a part of them is read.
 */
export interface Tail {
  revision: number;
  /** 0 for a state stream. */
  position: number;
  durableRevision: number;
  durablePosition: number;
  /** Positions of the last event of every `MARK_EVERY` durable ones; absent in a shorter stream and in a state stream. */
  marks?: number[];
}

/** Number of events between two marks of a stream. */
export const MARK_EVERY = 128;

const NO_REVISION = -1;

/** Returns the tail of a stream without events. */
export function absentTail(): Tail {
  return durableTail(NO_REVISION, 0);
}

/** Returns the tail of a stream whose events are all durable. @param position 0 for a state stream. */
export function durableTail(revision: number, position: Position, marks?: number[]): Tail {
  const tail = { revision, position, durableRevision: revision, durablePosition: position };
  return marks === undefined ? tail : { ...tail, marks };
}

/** Notes an event that is durable as the last one of its stream. */
export function advanceDurable(tail: Tail, revision: number, position: number): void {
  tail.durableRevision = revision;
  tail.durablePosition = position;
  if (position === 0 || (revision + 1) % MARK_EVERY !== 0) return;
  tail.marks ??= [];
  tail.marks.push(position);
}

/** Returns the position of a durable event of a stream at or behind a revision, and fewer than `MARK_EVERY` behind it. */
export function positionFrom(tail: Tail, revision: number): number {
  return tail.marks?.[Math.floor(revision / MARK_EVERY)] ?? tail.durablePosition;
}

/** The tails of streams, and the position of the last event of the log. */
export interface LogTails {
  readonly tails: Map<string, Tail>;
  readonly head: Position;
}

/** Rows of a small page are garbage before a collection copies them: pages of 20,000 rows took 15 % longer. */
const PAGE = 1_000;

/**
 * Reads the tails of all streams of the log, and checks the whole log: positions and revisions have no gaps or repeats, and each event
 * refers to the previous event of its stream.
 * @throws StoreFailed at the first event that does not follow the one before it.
 */
export function readLogTails(db: DatabaseSync): LogTails {
  const tails = new Map<string, Tail>();
  const page = db.prepare(
    'SELECT position, stream, revision, previous FROM log WHERE position > ? ORDER BY position LIMIT ?',
  );
  page.setReturnArrays(true);
  let head = 0;
  for (;;) {
    const rows = page.all(head, PAGE) as unknown as [number, string, number, number | null][];
    for (const [position, stream, revision, previous] of rows) {
      const known = tails.get(stream);
      const follows =
        revision === (known?.revision ?? NO_REVISION) + 1 && previous === (known?.position ?? null);
      if (position !== head + 1 || !follows) {
        throw new StoreFailed(
          `the log is damaged: event ${position} (${stream} ${revision}) does not follow event ${head}`,
        );
      }
      head = position;
      const tail = known ?? absentTail();
      if (known === undefined) tails.set(stream, tail);
      tail.revision = revision;
      tail.position = position;
      advanceDurable(tail, revision, position);
    }
    if (rows.length < PAGE) return { tails, head };
  }
}

/** Adds the tails of the state streams. */
export function addStateTails(tails: Map<string, Tail>, db: DatabaseSync): void {
  const last = db.prepare('SELECT stream, max(revision) AS revision FROM state GROUP BY stream');
  for (const row of last.iterate()) {
    const { stream, revision } = row as { stream: string; revision: number };
    tails.set(stream, durableTail(revision, 0));
  }
}
