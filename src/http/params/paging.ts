import { z } from 'zod';
import { invalidRequest } from '../server/problem.ts';

/** The sort values of the last item of a page. The next page begins after that item. Opaque to clients. */
export type Cursor = readonly (string | number)[];

export function encodeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

const KINDS = { text: z.string().max(512), number: z.int().nonnegative() } as const;

/**
 * Decodes a cursor.
 * @param kinds the kinds of its values: texts, or integers from 0.
 * @throws Problem `invalid-request` if the text is not a cursor with values of these kinds.
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

/** Returns a page of a sorted list: the items after the cursor, and the cursor of the next page if there is one. */
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
