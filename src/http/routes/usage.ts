import { z } from 'zod';
import { AccountUsageOut, MEASURES, UsageList } from '../../api/usage.ts';
import type { GroupBy } from '../../domain/billing/group.ts';
import { ALL_TYPES, clippedWindow } from '../../domain/billing/usage.ts';
import { AccountId } from '../../domain/facts/fact.ts';
import { DAY_MS, type Instant } from '../../domain/time.ts';
import {
  type AccountUsage,
  accountUsage,
  type GroupedUsage,
  type UsageQuestion,
  usageByAccount,
} from '../../projections/queries/account-usage.ts';
import { yieldingToEventLoop } from '../../util/event-loop-yielder.ts';
import type { Position } from '../../util/log-numbers.ts';
import { jsonLines, problems } from '../contract.ts';
import { ACCOUNT_USAGE_EXAMPLE, USAGE_EXAMPLE } from '../openapi/first-answers.ts';
import { type Forms, inAllForms, sendAccepted } from '../params/content-negotiation.ts';
import { SECONDS_COLUMNS, secondsCells, toCsv } from '../params/csv.ts';
import { AccountPath, AsOf, Paging, Reading } from '../params/fields.ts';
import { linkNext, openPage, type Place } from '../params/paging.ts';
import { knownAt, modelFor, modelForPage, requireAccount } from '../params/read-model.ts';
import { headOf, WindowFields, windowOf } from '../params/window-params.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest } from '../server/problem.ts';

const MAX_DAYS = 400;

const ATTRIBUTES = ['region', 'cloudProvider', 'clusterType'] as const;
const GroupByText = z
  .string()
  .regex(
    /^(region|cloudProvider|clusterType|label:.{1,253})$/su,
    'must be region, cloudProvider, clusterType or label:<key>',
  )
  .transform(
    (text): GroupBy => ATTRIBUTES.find((name) => name === text) ?? { label: text.slice('label:'.length) },
  );

const question = {
  ...WindowFields,
  asOf: AsOf.optional(),
  granularity: z
    .enum(['total', 'day'])
    .prefault('total')
    .describe('`day` adds the usage of each UTC day of the window.'),
  groupBy: GroupByText.optional().describe(
    'Also group by `region`, `cloudProvider`, `clusterType` or `label:<key>`, as the attribute was over time.',
  ),
  ...Reading,
};
const OneQuery = z.strictObject(question);
const AllQuery = z.strictObject({
  ...question,
  accountId: AccountId.optional().describe('Only this account.'),
  limit: Paging.limit.unwrap().optional().describe('Maximum number of accounts; by default all.'),
  cursor: Paging.cursor,
});
type Query = z.output<typeof OneQuery>;

const description =
  'Answers JSON, CSV or NDJSON, by Accept. The figures of an ended period change only if facts are recorded later. ' +
  'With asOf they never change.';

/** Adds the routes that read usage. */
export function usageRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/usage',
    {
      config: { access: { billing: 'all', auditor: 'all' } },
      schema: {
        operationId: 'getUsage',
        tags: ['Billing'],
        summary: 'List the usage of every account in a window',
        description,
        querystring: AllQuery,
        response: {
          200: inAllForms('The usage of each account.', UsageList, jsonLines(AccountUsageOut), {
            headers: ['Link'],
            examples: USAGE_EXAMPLE,
          }),
          ...problems('not-acceptable'),
        },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const page = openPage(request, 'text');
      const { model, moment } = await modelForPage(services, page, query, reply);
      const asOf = knownAt(model, query.asOf, { position: moment.position });
      const usageQuestion = questionOf(query, moment.now, asOf);
      const [after] = page.after ?? [];
      const items: AccountUsage[] = [];
      let last: Place | undefined;
      for await (const item of yieldingToEventLoop(usageByAccount(model, usageQuestion, query.accountId))) {
        if (after !== undefined && item.accountId <= after) continue;
        if (items.length === query.limit) {
          last = [items.at(-1)?.accountId ?? ''];
          break;
        }
        items.push(item);
      }
      const shared = headOf(model, query, usageQuestion);
      const next = page.next(last, moment);
      linkNext(request, reply, next.next);
      const json = () => ({ ...shared, items, ...next });
      const figures = figuresOf(query, usageQuestion, moment.now, items);
      return sendAccepted(request, reply, formsOf(shared, items, json), figures);
    },
  );

  app.get(
    '/v1/accounts/:accountId/usage',
    {
      config: { access: { billing: 'all', auditor: 'all', customer: 'own' } },
      schema: {
        operationId: 'getAccountUsage',
        tags: ['Billing'],
        summary: 'Get the usage of an account in a window',
        description,
        params: AccountPath,
        querystring: OneQuery,
        response: {
          200: inAllForms('The usage of the account.', AccountUsageOut, jsonLines(AccountUsageOut), {
            examples: ACCOUNT_USAGE_EXAMPLE,
          }),
          ...problems('not-found', 'not-acceptable'),
        },
      },
    },
    async (request, reply) => {
      const { query, params } = request;
      const model = await modelFor(services.projections, query, reply);
      requireAccount(model, params.accountId);
      const now = services.now();
      const usageQuestion = questionOf(query, now, knownAt(model, query.asOf));
      const item = accountUsage(model, params.accountId, usageQuestion);
      const shared = headOf(model, query, usageQuestion);
      const { accountId, ...measures } = item;
      const json = () => ({ accountId, ...shared, ...measures });
      const figures = figuresOf(query, usageQuestion, now, [item]);
      return sendAccepted(request, reply, formsOf(shared, [item], json), figures);
    },
  );
}

function questionOf(query: Query, now: Instant, asOf: Position): UsageQuestion {
  const window = windowOf(query, '/query');
  const byDay = query.granularity === 'day';
  if (byDay && window.to - window.from > MAX_DAYS * DAY_MS) {
    throw invalidRequest([
      { pointer: '/query/granularity', detail: `must be total for a window of more than ${MAX_DAYS} days` },
    ]);
  }
  const through = clippedWindow(window, query.through ?? now).to;
  return { window, through, asOf, byDay, groupBy: query.groupBy };
}

/**
 * Returns what decides about the ETag of an answer whose time has ended: its figures, but not the position, which every fact
 * of any account moves. Returns `undefined` while the figures grow with the time.
 */
function figuresOf(
  { period, through = Number.POSITIVE_INFINITY }: Query,
  question: UsageQuestion,
  now: Instant,
  items: readonly AccountUsage[],
): object | undefined {
  const { window, groupBy } = question;
  return Math.min(window.to, through) <= now
    ? { period, window, through: question.through, groupBy, items }
    : undefined;
}

/** Returns the figures in all forms. */
function formsOf(
  shared: ReturnType<typeof headOf>,
  items: readonly AccountUsage[],
  json: () => object,
): Forms {
  return {
    json,
    csv: () => asCsv(shared, items),
    items: () => items.map((item) => ({ ...shared, ...item })),
  };
}

/** Writes a row per account, or per account and day: first all types together, then each type, then each group. */
function asCsv(
  { period, window, through, asOf, position }: ReturnType<typeof headOf>,
  items: readonly AccountUsage[],
) {
  const isGrouped = items.some(({ groups }) => groups !== undefined);
  const header = [
    'accountId',
    'period',
    'from',
    'to',
    'through',
    'asOf',
    'position',
    'date',
    'clusterType',
    ...(isGrouped ? ['group'] : []),
    ...MEASURES.flatMap((measure) => (measure === 'clusterSeconds' ? SECONDS_COLUMNS : [measure])),
  ];
  const rows = items.flatMap(({ accountId, usage, byType, groups, days }) =>
    (days ?? [{ date: null, usage, byType, groups }]).flatMap((day) =>
      rowsOf(day).map(({ clusterType, group, ...measures }) => [
        accountId,
        period ?? null,
        window.from,
        window.to,
        through,
        asOf,
        { number: position },
        day.date,
        clusterType,
        ...(isGrouped ? [group] : []),
        ...MEASURES.flatMap((measure) =>
          measure === 'clusterSeconds'
            ? secondsCells(measures[measure])
            : [{ number: String(measures[measure]) }],
        ),
      ]),
    ),
  );
  return toCsv(header, rows);
}

/** Returns the usage of all types together, of each type, and of each group. A `*` is a sum over all. */
function rowsOf({ usage, byType, groups = [] }: GroupedUsage) {
  return [
    { clusterType: ALL_TYPES, group: ALL_TYPES, ...usage },
    ...byType.map((type) => ({ ...type, group: ALL_TYPES })),
    ...groups.map(({ value, ...measures }) => ({ clusterType: ALL_TYPES, group: value, ...measures })),
  ];
}
