import type { FastifyReply, FastifyRequest } from 'fastify';
import { MEASURES } from '../api/usage.ts';
import { ALL_TYPES } from '../domain/billing/usage-meter.ts';
import type { AccountUsage, DailyUsage, GroupedUsage } from '../projections/queries/account-usage.ts';
import { csvRow, SECONDS_COLUMNS, secondsCells } from '../util/csv.ts';
import { yieldingToEventLoop } from '../util/event-loop-yielder.ts';
import { acceptedForm, type PiecesOfForms } from './params/content-negotiation.ts';
import type { headOf } from './params/window-params.ts';
import { tagOfParts } from './server/etag.ts';
import { objectWithArray, sendPieces } from './server/streamed-answer.ts';

/** An answer about usage up to this size, in characters of JSON, is computed before any of it is sent. */
const SMALL = 256 * 1024;
/** Minimum size of the pieces of an item, in characters, if it is as large. */
const PIECE = 8 * 1024;

/** An answer about usage. */
export interface UsageAnswer {
  readonly shared: ReturnType<typeof headOf>;
  readonly items: AsyncIterable<AccountUsage>;
  /** Whether the answer is a list. If not, there is one item. */
  readonly isList: boolean;
  /** Whether the items have groups. */
  readonly isGrouped: boolean;
  /** Whether the items may be very large, with days or groups, so that they are not kept. */
  readonly isDetailed: boolean;
  /** The members after the items of a list. */
  readonly next: { readonly next?: string };
  /** The parameters that decide about the figures, if their time has ended: the ETag is then that of the figures. */
  readonly figures: object | undefined;
}

/** Sends usage in the form that the request accepts, and a large answer while it is computed. @throws Problem `not-acceptable` */
export async function sendUsage(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: UsageAnswer,
): Promise<FastifyReply> {
  const form = acceptedForm(request, reply);
  const signal = request.turn?.signal;
  const { known, rest } = await gathered(answer.items, answer.isDetailed ? SMALL : Number.POSITIVE_INFINITY);
  const { figures } = answer;
  if (figures !== undefined && rest === undefined)
    reply.header('etag', await tagOfParts([form, figures, answer.shared.statementsBegin], known, signal));
  const pieces = piecesOf(answer, chained(known, rest), signal);
  return sendPieces(request, reply, pieces[form]());
}

/**
 * Computes items up to a size.
 * @returns the items, and what is left of them if they are larger. The last known item may have days left.
 */
async function gathered(
  items: AsyncIterable<AccountUsage>,
  limit: number,
): Promise<{ known: AccountUsage[]; rest: AsyncIterator<AccountUsage> | undefined }> {
  const known: AccountUsage[] = [];
  const iterator = items[Symbol.asyncIterator]();
  for (let size = 0; ; ) {
    const { done, value } = await iterator.next();
    if (done === true) return { known, rest: undefined };
    const { days, ...item } = value;
    if (days === undefined) {
      known.push(value);
      if (limit !== Number.POSITIVE_INFINITY) size += JSON.stringify(item).length;
    } else {
      const left = days[Symbol.iterator]();
      const first: DailyUsage[] = [];
      for (let day = left.next(); day.done !== true; day = left.next()) {
        first.push(day.value);
        size += JSON.stringify(day.value).length;
        if (size > limit) break;
      }
      known.push({ ...item, days: size > limit ? both(first, left) : first });
    }
    if (size > limit) return { known, rest: iterator };
  }
}

function* both<T>(first: Iterable<T>, left: Iterator<T>): Generator<T> {
  yield* first;
  for (let next = left.next(); next.done !== true; next = left.next()) yield next.value;
}

async function* chained<T>(known: readonly T[], rest: AsyncIterator<T> | undefined): AsyncGenerator<T> {
  try {
    yield* known;
    if (rest === undefined) return;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest?.return?.();
  }
}

/** Returns the figures in all forms. */
function piecesOf(
  { shared, isList, isGrouped, next }: UsageAnswer,
  items: AsyncIterable<AccountUsage>,
  signal: AbortSignal | undefined,
): PiecesOfForms {
  const each = async function* (partsOf: (item: AccountUsage) => Iterable<string>) {
    for await (const item of items) yield* yieldingToEventLoop(joined(partsOf(item)), signal);
  };
  return {
    json: () => {
      if (!isList) return each(({ accountId, ...measures }) => jsonOf({ accountId, ...shared, ...measures }));
      let separator = '';
      const pieces = each(function* (item) {
        yield separator;
        separator = ',';
        yield* jsonOf(item);
      });
      return objectWithArray(shared, 'items', pieces, next);
    },
    csv: async function* () {
      yield csvRow(csvHeader(isGrouped));
      yield* each((item) => csvOf(shared, item, isGrouped));
    },
    ndjson: () =>
      each(function* (item) {
        yield* jsonOf({ ...shared, ...item });
        yield '\n';
      }),
  };
}

/** Joins parts up to a size: each piece costs several promises on its way to the client, which take longer than the text of a day. */
function* joined(parts: Iterable<string>): Generator<string> {
  let piece = '';
  for (const part of parts) {
    piece += part;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

/** Yields the JSON of an item day by day, because there may be many days with many groups. */
function* jsonOf<T extends Pick<AccountUsage, 'days'>>({ days, ...item }: T): Generator<string> {
  const text = JSON.stringify(item);
  if (days === undefined) {
    yield text;
    return;
  }
  yield `${text.slice(0, -1)},"days":[`;
  let separator = '';
  for (const day of days) {
    yield separator + JSON.stringify(day);
    separator = ',';
  }
  yield ']}';
}

/** Writes usage without days and groups as CSV. */
export function csvOfUsage(shared: UsageAnswer['shared'], items: readonly AccountUsage[]): string {
  return csvRow(csvHeader(false)) + items.flatMap((item) => [...csvOf(shared, item, false)]).join('');
}

function csvHeader(isGrouped: boolean): string[] {
  return [
    ...['accountId', 'period', 'from', 'to', 'through', 'asOf', 'position', 'date', 'clusterType'],
    ...(isGrouped ? ['group'] : []),
    ...MEASURES.flatMap((measure) => (measure === 'clusterSeconds' ? SECONDS_COLUMNS : [measure])),
  ];
}

/** Writes a row per account, or per account and day: first all types together, then each type, then each group. */
function* csvOf(
  { period, window, through, asOf, position }: UsageAnswer['shared'],
  { accountId, usage, byType, groups, days }: AccountUsage,
  isGrouped: boolean,
): Generator<string> {
  for (const day of days ?? [{ date: null, usage, byType, groups }]) {
    let rows = '';
    for (const { clusterType, group, ...measures } of rowsOf(day))
      rows += csvRow([
        ...[accountId, period ?? null, window.from, window.to, through, asOf],
        { number: position },
        ...[day.date, clusterType],
        ...(isGrouped ? [group] : []),
        ...MEASURES.flatMap((measure) =>
          measure === 'clusterSeconds'
            ? secondsCells(measures[measure])
            : [{ number: String(measures[measure]) }],
        ),
      ]);
    yield rows;
  }
}

/** Returns the usage of all types together, of each type, and of each group. A `*` is a sum over all. */
function rowsOf({ usage, byType, groups = [] }: GroupedUsage) {
  return [
    { clusterType: ALL_TYPES, group: ALL_TYPES, ...usage },
    ...byType.map((type) => ({ ...type, group: ALL_TYPES })),
    ...groups.map(({ value, ...measures }) => ({ clusterType: ALL_TYPES, group: value, ...measures })),
  ];
}
