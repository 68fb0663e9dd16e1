import { Readable } from 'node:stream';
import { z } from 'zod';
import { AccountUsageOut, UsageList } from '../../api/usage.ts';
import type { GroupBy } from '../../domain/billing/group.ts';
import { clippedWindow } from '../../domain/billing/usage-meter.ts';
import { AccountId } from '../../domain/facts/fact.ts';
import { DAY_MS, type Instant } from '../../domain/time.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import {
  type AccountUsage,
  accountUsageWithPauses,
  type UsageQuestion,
  usageByAccount,
} from '../../projections/queries/account-usage.ts';
import { runYielding, yieldingToEventLoop } from '../../util/event-loop-yielder.ts';
import type { Position } from '../../util/log-numbers.ts';
import { jsonLines, problems } from '../contract.ts';
import { AnsweredUsage, KnownUsage } from '../known-usage.ts';
import { ACCOUNT_USAGE_EXAMPLE, USAGE_EXAMPLE } from '../openapi/first-answers.ts';
import { acceptedForm, acceptsJson, inAllForms, sendAccepted } from '../params/content-negotiation.ts';
import { AccountPath, AsOf, Paging, Reading } from '../params/fields.ts';
import { linkNext, openPage, type Place } from '../params/paging.ts';
import { knownAt, modelFor, modelForPage, requireAccount } from '../params/read-model.ts';
import { headOf, WindowFields, windowOf } from '../params/window-params.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest } from '../server/problem.ts';
import { csvOfUsage, sendUsage } from '../usage-answer.ts';

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
  accountId: AccountId.optional().describe('Only this account; 404 if no cluster ever belonged to it.'),
  limit: Paging.limit.unwrap().optional().describe('Maximum number of accounts; by default all.'),
  cursor: Paging.cursor,
});
type Query = z.output<typeof OneQuery>;
type AllQuery = z.output<typeof AllQuery>;

const description =
  'Answers JSON, CSV or NDJSON, by Accept. The figures of an ended period change only if facts are recorded later. ' +
  'With asOf they never change.';

const getUsageSchema = {
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
    ...problems('not-found', 'not-acceptable'),
  },
};

const getAccountUsageSchema = {
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
};

/** Adds the routes that read usage. */
export function usageRoutes(app: App, services: HttpServices): void {
  const known = new KnownUsage();
  app.get(
    '/v1/usage',
    {
      config: {
        access: { billing: 'all', auditor: 'all' },
        isHeavy: (query) => (query as AllQuery).accountId === undefined || isDetailed(query as AllQuery),
      },
      schema: getUsageSchema,
    },
    async (request, reply) => {
      const { query, turn } = request;
      const page = openPage(request, 'text');
      const { model, moment } = await modelForPage(services, page, query, reply);
      if (query.accountId !== undefined) requireAccount(model, query.accountId);
      const asOf = knownAt(model, query.asOf, { position: moment.position });
      const usageQuestion = questionOf(query, moment.now, asOf);
      const [behind] = (page.after ?? []) as readonly string[];
      const choice = { only: query.accountId, behind };
      const { items, last } = await pageOfUsage(model, usageQuestion, choice, query.limit, turn?.signal);
      const next = page.next(last, moment);
      linkNext(request, reply, next.next);
      return sendUsage(request, reply, {
        ...answerAbout(model, query, usageQuestion, moment.now),
        ...{ items, next, isList: true },
      });
    },
  );

  app.get(
    '/v1/accounts/:accountId/usage',
    {
      config: {
        access: { billing: 'all', auditor: 'all', customer: 'own' },
        isHeavy: (query) => isDetailed(query as Query),
      },
      schema: getAccountUsageSchema,
    },
    async (request, reply) => {
      const { query, turn } = request;
      const { accountId } = request.params;
      const model = await modelFor(services.projections, query, reply);
      const now = services.now();
      const kept = known.find(model, accountId, query, now);
      if (kept !== undefined && acceptsJson(request)) {
        const form = acceptedForm(request, reply);
        return reply.header('etag', kept.etag(form)).send(kept.jsonAt(model.position));
      }
      requireAccount(model, accountId);
      const usageQuestion = questionOf(query, now, knownAt(model, query.asOf));
      const usage = accountUsageWithPauses(model, accountId, usageQuestion);
      const item = await runYielding(usage, turn?.signal);
      const about = answerAbout(model, query, usageQuestion, now);
      if (isDetailed(query)) {
        const items = Readable.from([item]);
        return sendUsage(request, reply, { ...about, items, next: {}, isList: false });
      }
      const { shared, figures } = about;
      const { asOf, through: endedAt } = usageQuestion;
      const answer = new AnsweredUsage(shared, item, figures);
      if (figures !== undefined && query.asOf === undefined)
        known.add(model, accountId, { query, endedAt, asOf }, answer);
      const forms = {
        json: () => answer.jsonAt(asOf),
        csv: () => csvOfUsage(shared, [item]),
        items: () => [{ ...shared, ...item }],
      };
      return sendAccepted(request, reply, forms, (form) => answer.etag(form));
    },
  );
}

/** Returns whether a question is about days or groups, which takes much longer to answer. */
function isDetailed({ granularity, groupBy }: Query): boolean {
  return granularity === 'day' || groupBy !== undefined;
}

/**
 * Returns the usage of the accounts of a page, which is computed as it is read.
 * @returns the usage, and the place of the last account if there are more.
 */
async function pageOfUsage(
  model: LedgerModel,
  usageQuestion: UsageQuestion,
  choice: { readonly only: string | undefined; readonly behind: string | undefined },
  limit: number | undefined,
  signal: AbortSignal | undefined,
): Promise<{ items: AsyncIterable<AccountUsage>; last?: Place }> {
  if (limit === undefined)
    return { items: yieldingToEventLoop(usageByAccount(model, usageQuestion, choice), signal) };
  // Whether there is a next page is known before anything is sent: it is in a header.
  const ids: string[] = [];
  const total = { ...usageQuestion, byDay: false, groupBy: undefined };
  for await (const { accountId } of yieldingToEventLoop(usageByAccount(model, total, choice), signal))
    if (ids.push(accountId) > limit) break;
  const page = ids.slice(0, limit);
  const items = usageOfEach(model, usageQuestion, page, signal);
  return ids.length > limit ? { items, last: [page.at(-1) ?? ''] } : { items };
}

async function* usageOfEach(
  model: LedgerModel,
  usageQuestion: UsageQuestion,
  accountIds: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<AccountUsage> {
  for (const accountId of accountIds)
    yield await runYielding(accountUsageWithPauses(model, accountId, usageQuestion), signal);
}

/** Returns the parts of an answer that do not depend on the accounts. */
function answerAbout(model: LedgerModel, query: Query, usageQuestion: UsageQuestion, now: Instant) {
  return {
    shared: headOf(model, query, usageQuestion),
    figures: figuresOf(query, usageQuestion, now),
    isGrouped: query.groupBy !== undefined,
    isDetailed: isDetailed(query),
  };
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
 * Returns what decides about the figures of an answer besides the facts. Returns `undefined` while the figures grow with the
 * time.
 */
function figuresOf(
  { period, through = Number.POSITIVE_INFINITY }: Query,
  { window, groupBy, through: counted }: UsageQuestion,
  now: Instant,
): object | undefined {
  return Math.min(window.to, through) <= now ? { period, window, through: counted, groupBy } : undefined;
}
