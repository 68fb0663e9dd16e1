import { invalidRequest } from './problem.ts';

/** A cursor says behind which item the next page begins: the values it is sorted by. Opaque to clients. */
export type Cursor = readonly (string | number)[];

export function encodeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

/** @throws Problem where the text is no cursor with values of these kinds. */
export function decodeCursor(
  text: string | undefined,
  ...kinds: readonly ('string' | 'number')[]
): Cursor | undefined {
  if (text === undefined) return undefined;
  try {
    const cursor: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    const fits =
      Array.isArray(cursor) &&
      cursor.length === kinds.length &&
      cursor.every((v, i) => typeof v === kinds[i]);
    if (fits) return cursor as Cursor;
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
