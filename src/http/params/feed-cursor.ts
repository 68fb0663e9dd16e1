import { z } from 'zod';
import { FEED_CURSOR } from '../../api/feed.ts';
import type { Epoch } from '../../projections/log-starts.ts';
import type { Position } from '../../util/log-numbers.ts';
import { Problem } from '../server/problem.ts';

/** A place in the feed: a position, and the epoch in which it was read. */
export interface FeedCursor {
  readonly epoch: number;
  readonly position: Position;
}

/** A cursor as text: the position alone in the first epoch, `<epoch>.<position>` in later ones. */
export const FeedCursorText = z
  .string()
  .regex(FEED_CURSOR, 'must be the `next` of the previous call, or 0')
  .transform((text): FeedCursor => {
    const [position, epoch = '1'] = text.split('.').reverse() as [string, string?];
    return { epoch: Number(epoch), position: Number(position) };
  });

export function formatFeedCursor({ epoch, position }: FeedCursor): string {
  return epoch === 1 ? String(position) : `${epoch}.${position}`;
}

/**
 * Returns the current epoch.
 * @throws Problem `epoch-changed` if events that were read up to the cursor may no longer be in the log.
 */
export function requireEpoch(cursor: FeedCursor, epochs: readonly Epoch[]): number {
  const { epoch } = epochs.at(-1) as Epoch;
  if (cursor.epoch === epoch) return epoch;
  const later = epochs.filter((other) => other.epoch > cursor.epoch).map(({ epochFrom }) => epochFrom);
  const shared = later.length === 0 ? 0 : Math.min(...later);
  if (cursor.position <= shared) return epoch;
  const resume = formatFeedCursor({ epoch, position: shared });
  throw new Problem(
    'epoch-changed',
    `the log was restored and has lost events after position ${shared}; drop what you have read after that position, and continue with after=${resume}`,
  );
}
