import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Instant } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import { invalidRequest } from '../server/problem.ts';

/** The sort values of the last item of a page. The next page begins after that item. */
export type Place = readonly (string | number)[];

/** The moment that all pages of a list show: what was known, and what time it was, at the first page. */
export interface Moment {
  readonly position: Position;
  readonly now: Instant;
}

const KINDS = { text: z.string().max(512), number: z.int().nonnegative() } as const;
type Kind = keyof typeof KINDS;

/** A request for a page. */
export interface PageRequest {
  /** The sort values of the last item of the page before; `undefined` for the first page. */
  readonly after: Place | undefined;
  /** The moment of the first page; `undefined` if this is the first page. It has no time if the list does not depend on the time. */
  readonly moment: { readonly position: Position; readonly now: Instant | undefined } | undefined;
  /** Returns the member `next` of a page: the cursor of the page behind `last`, if there are more items. */
  next(last: Place | undefined, moment: NextMoment): { next?: string };
}

/**
 * The moment that the next page shows. Leave out the time if the list does not depend on it: then the same request has the same
 * answer until something is recorded.
 */
interface NextMoment {
  readonly position: Position;
  readonly now?: Instant;
}

/** The parameters that may differ from page to page. */
const FREE = new Set(['cursor', 'limit', 'minPosition']);

/**
 * Opens the page that a request asks for. A cursor belongs to the list that it was made by: to its path, filters and order. It
 * is opaque to clients: the digest of the list, the moment of the first page, and the place.
 * @param kinds the kinds of the sort values: texts, or integers from 0.
 * @throws Problem `invalid-request` if the cursor is not of this list.
 */
export function openPage(
  request: Pick<FastifyRequest, 'routeOptions' | 'params' | 'query'>,
  ...kinds: readonly Kind[]
): PageRequest {
  const list = listOf(request);
  const next = (last: Place | undefined, { position, now }: NextMoment) =>
    last === undefined
      ? {}
      : { next: Buffer.from(JSON.stringify([list, position, now ?? null, ...last])).toString('base64url') };
  const { cursor } = request.query as { readonly cursor?: string | undefined };
  if (cursor === undefined) return { after: undefined, moment: undefined, next };
  const [of, position, now, ...after] = decoded(cursor, kinds);
  if (of !== list) throw invalidCursor();
  return { after, moment: { position, now: now ?? undefined }, next };
}

type Cursor = [list: string, position: Position, now: Instant | null, ...after: Place];

function decoded(cursor: string, kinds: readonly Kind[]): Cursor {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const after = kinds.map((kind) => KINDS[kind]);
    const expected = [KINDS.text, KINDS.number, KINDS.number.nullable(), ...after];
    const isCursor = Array.isArray(values) && values.length === expected.length;
    if (isCursor && expected.every((schema, i) => schema.safeParse(values[i]).success))
      return values as unknown as Cursor;
  } catch {}
  throw invalidCursor();
}

function invalidCursor() {
  const detail = 'must be the `next` of a page of the same list, with the same filters and the same order';
  return invalidRequest([{ pointer: '/query/cursor', detail }]);
}

/** Returns a digest of the list that a request asks for. */
function listOf({ routeOptions, params, query }: Pick<FastifyRequest, 'routeOptions' | 'params' | 'query'>) {
  const chosen = Object.entries(query as object)
    .filter(([name, value]) => !FREE.has(name) && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return hash('sha256', JSON.stringify([routeOptions.url, params, chosen]), 'base64url').slice(0, 11);
}

/** Returns a page of a sorted list: the items after the cursor, and the place of the last one if there are more. */
export function pageOf<T>(
  sorted: readonly T[],
  limit: number,
  isBehind: (item: T) => boolean,
  placeOf: (item: T) => Place,
): { items: T[]; last: Place | undefined } {
  let start = 0;
  for (let end = sorted.length; start < end; ) {
    const middle = (start + end) >> 1;
    if (isBehind(sorted[middle] as T)) end = middle;
    else start = middle + 1;
  }
  const items = sorted.slice(start, start + limit);
  const last = items.at(-1);
  const isMore = start + limit < sorted.length && last !== undefined;
  return { items, last: isMore ? placeOf(last) : undefined };
}

/** Names the next page in the header `Link` (RFC 8288), for forms of a list that have no member for it. */
export function linkNext({ url }: FastifyRequest, reply: FastifyReply, next: string | undefined): void {
  if (next === undefined) return;
  const target = new URL(url, 'http://ledger');
  target.searchParams.set('cursor', next);
  reply.header('link', `<${target.pathname}${target.search}>; rel="next"`);
}
