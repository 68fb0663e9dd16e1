import { z } from 'zod';
import { invalidRequest } from '../server/problem.ts';

/** A cursor says behind which item the next page begins: the values it is sorted by. Opaque to clients. */
export type Cursor = readonly (string | number)[];

export function encodeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

const KINDS = { text: z.string().max(512), place: z.int().nonnegative() } as const;

/**
 * @param kinds of the values: texts, or places counted from 0.
 * @throws Problem where the text is no cursor with values of these kinds.
 */
export function decodeCursor(
  text: string | undefined,
  ...kinds: readonly (keyof typeof KINDS)[]
): Cursor | undefined {
  if (text === undefined) return undefined;
  try {
    const values: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    const isCursor = Array.isArray(values) && values.length === kinds.length;
    if (isCursor && kinds.every((kind, i) => KINDS[kind].safeParse(values[i]).success))
      return values as Cursor;
  } catch {}
  throw invalidRequest([
    { pointer: '/query/cursor', detail: 'must be the `next` of a page of the same list' },
  ]);
}

/** One page of a sorted list: the items behind the cursor, and the cursor of the next page if there is one. */
export function pageOf<T>(
  sorted: readonly T[],
  limit: number,
  isBehind: (item: T) => boolean,
  cursorOf: (item: T) => Cursor,
): { items: T[]; next?: string } {
  let start = 0;
  for (let end = sorted.length; start < end; ) {
    const middle = (start + end) >> 1;
    if (isBehind(sorted[middle] as T)) end = middle;
    else start = middle + 1;
  }
  const items = sorted.slice(start, start + limit);
  const last = items.at(-1);
  const isMore = start + limit < sorted.length && last !== undefined;
  return isMore ? { items, next: encodeCursor(cursorOf(last)) } : { items };
}
