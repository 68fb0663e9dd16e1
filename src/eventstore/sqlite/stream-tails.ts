import type { DatabaseSync } from 'node:sqlite';
import { StoreFailed } from '../store-errors.ts';

/** The end of a stream: what the next append must follow, and what of it is on the disk. */
export interface Tail {
  revision: number;
  /** 0 for a state stream. */
  position: number;
  durableRevision: number;
  durablePosition: number;
}

const NOTHING_YET = -1;

export function absentTail(): Tail {
  return { revision: NOTHING_YET, position: 0, durableRevision: NOTHING_YET, durablePosition: 0 };
}

const PAGE = 20_000;

/**
 * The tails of all streams, read from the file. On the way the whole log is checked: positions and revisions without gaps
 * or repeats, each event pointing at the one before it in its stream.
 * @throws StoreFailed at the first event that does not follow.
 */
export function readTails(db: DatabaseSync): { tails: Map<string, Tail>; head: number } {
  const tails = new Map<string, Tail>();
  const page = db.prepare(
    'SELECT position, stream, revision, previous FROM log WHERE position > ? ORDER BY position LIMIT ?',
  );
  page.setReturnArrays(true);
  let head = 0;
  for (;;) {
    const rows = page.all(head, PAGE) as unknown as [number, string, number, number | null][];
    for (const [position, stream, revision, previous] of rows) {
      const tail = tails.get(stream);
      const follows =
        revision === (tail?.revision ?? NOTHING_YET) + 1 && previous === (tail?.position ?? null);
      if (position !== head + 1 || !follows) {
        throw new StoreFailed(
          `the log is damaged: event ${position} (${stream} ${revision}) does not follow event ${head}`,
        );
      }
      head = position;
      if (tail === undefined) {
        tails.set(stream, { revision, position, durableRevision: revision, durablePosition: position });
      } else {
        tail.revision = tail.durableRevision = revision;
        tail.position = tail.durablePosition = position;
      }
    }
    if (rows.length < PAGE) break;
  }
  for (const row of db
    .prepare('SELECT stream, max(revision) AS revision FROM state GROUP BY stream')
    .iterate()) {
    const { stream, revision } = row as { stream: string; revision: number };
    tails.set(stream, { revision, position: 0, durableRevision: revision, durablePosition: 0 });
  }
  return { tails, head };
}
