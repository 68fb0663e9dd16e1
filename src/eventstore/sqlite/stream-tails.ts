import type { DatabaseSync } from 'node:sqlite';
import { StoreFailed } from '../store-errors.ts';

/** End of a stream: the last revision and position assigned, and the last ones that are durable. */
export interface Tail {
  revision: number;
  /** 0 for a state stream. */
  position: number;
  durableRevision: number;
  durablePosition: number;
}

const NO_REVISION = -1;

/** Returns the tail of a stream without events. */
export function absentTail(): Tail {
  return { revision: NO_REVISION, position: 0, durableRevision: NO_REVISION, durablePosition: 0 };
}

const PAGE = 20_000;

/**
 * Reads the tails of all streams, and checks the whole log: positions and revisions have no gaps or repeats, and each event
 * refers to the previous event of its stream.
 * @throws StoreFailed at the first event that does not follow the one before it.
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
        revision === (tail?.revision ?? NO_REVISION) + 1 && previous === (tail?.position ?? null);
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
