import { z } from 'zod';
import { ClusterBillingOut, ClusterOut } from '../../api/clusters.ts';
import { FeedEvent } from '../../api/feed.ts';
import { Next } from '../../api/values.ts';
import { CLUSTER_STATUSES } from '../../domain/billing/cluster-status.ts';
import { AccountId } from '../../domain/facts/fact.ts';
import { clusterStream } from '../../domain/facts/recorded-fact.ts';
import type { ProbeHistory } from '../../domain/validation/judging/probe-history.ts';
import { byCodeUnit } from '../../projections/queries/account-usage.ts';
import { type ClusterView, viewCluster } from '../../projections/queries/cluster-view.ts';
import { problemResponses } from '../contract.ts';
import { toCloudEvent } from '../ingest/cloud-event.ts';
import { AsOf, asOfOut, ClusterPath, Flag, instantOut, Paging, Reading } from '../params/fields.ts';
import { type Cursor, decodeCursor, encodeCursor, pageOf } from '../params/paging.ts';
import { clusterNumber, knownAt, modelFor } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';

const SORTS = ['clusterId', 'name', 'registeredAt'] as const;

const ListQuery = z.strictObject({
  accountId: AccountId.optional(),
  billable: Flag.optional().describe('As its registration says.'),
  status: z.enum(CLUSTER_STATUSES).optional(),
  q: z.string().min(1).max(253).optional().describe('Part of its id or name, in any case.'),
  sort: z.enum([...SORTS, ...SORTS.map((sort) => `-${sort}` as const)]).prefault('clusterId'),
  ...Paging,
  ...Reading,
});
type ListQuery = z.output<typeof ListQuery>;

/** Clusters: all of them, what is billed of one, and its facts. */
export function clusterRoutes(app: App, services: HttpServices): void {
  const tags = ['Clusters'];

  app.get(
    '/v1/clusters',
    {
      schema: {
        operationId: 'listClusters',
        tags,
        summary: 'All clusters that the ledger has a fact of',
        querystring: ListQuery,
        response: { 200: z.strictObject({ items: z.array(ClusterOut), ...Next }), ...problemResponses },
      },
    },
    async ({ query }, reply) => {
      const model = await modelFor(services.projections, query, reply);
      const now = services.now();
      const candidates =
        query.accountId === undefined
          ? model.clusters.texts.keys()
          : model.clustersOf(model.accounts.find(query.accountId) ?? -1).values();
      const found: ClusterView[] = [];
      for (const cluster of candidates) {
        const view = viewCluster(model, cluster, now);
        if (matches(view, query)) found.push(view);
      }
      const page = sortedPage(found, query);
      return { ...page, items: page.items.map(clusterOut) };
    },
  );

  const one = { params: ClusterPath, querystring: z.strictObject({ ...Reading }) };

  app.get(
    '/v1/clusters/:clusterId',
    {
      schema: {
        operationId: 'getCluster',
        tags,
        summary: 'One cluster as it is now',
        ...one,
        response: { 200: ClusterOut, ...problemResponses },
      },
    },
    async ({ params, query }, reply) => {
      const model = await modelFor(services.projections, query, reply);
      const view = viewCluster(model, clusterNumber(model, params.clusterId), services.now());
      return { ...clusterOut(view), ...seenOut(model.validations.historyOf(params.clusterId)) };
    },
  );

  app.get(
    '/v1/clusters/:clusterId/billing',
    {
      schema: {
        operationId: 'getClusterBilling',
        tags: ['Billing'],
        summary: 'The intervals in which a cluster is billed',
        ...one,
        querystring: z.strictObject({ asOf: AsOf.optional(), ...Reading }),
        response: { 200: ClusterBillingOut, ...problemResponses },
      },
    },
    async ({ params: { clusterId }, query }, reply) => {
      const model = await modelFor(services.projections, query, reply);
      const position = knownAt(model, query.asOf);
      const { registration, intervals } = model.billing(clusterNumber(model, clusterId), position);
      return {
        clusterId,
        accountId: registration?.fact.accountId ?? null,
        asOf: asOfOut(query.asOf),
        position: String(position),
        intervals: intervals.map(({ from, to, openedBy, closedBy }) => ({
          from: instantOut(from),
          to: to === null ? null : instantOut(to),
          openedBy: model.facts.ids.at(openedBy),
          closedBy: closedBy === null ? null : model.facts.ids.at(closedBy),
        })),
      };
    },
  );

  app.get(
    '/v1/clusters/:clusterId/events',
    {
      schema: {
        operationId: 'listClusterEvents',
        tags: ['Audit'],
        summary: 'The facts of a cluster, in the order in which they were recorded',
        ...one,
        querystring: z.strictObject({ asOf: AsOf.optional(), ...Paging, ...Reading }),
        response: { 200: z.strictObject({ items: z.array(FeedEvent), ...Next }), ...problemResponses },
      },
    },
    async ({ params: { clusterId }, query: { limit, cursor, ...query } }, reply) => {
      const model = await modelFor(services.projections, query, reply);
      const positions = model.positionsOf(clusterNumber(model, clusterId), knownAt(model, query.asOf));
      const [after] = decodeCursor(cursor, 'place') ?? [-1];
      const from = Number(after) + 1;
      const items: FeedEvent[] = [];
      for await (const event of services.store.readStream(clusterStream(clusterId), { from, limit })) {
        const position = positions[event.revision];
        if (position === undefined) break;
        items.push(toCloudEvent(event, position));
      }
      const last = from + items.length - 1;
      return last + 1 < positions.length ? { items, next: encodeCursor([last]) } : { items };
    },
  );
}

function matches(
  { status, billable, clusterId, accountId, details }: ClusterView,
  query: ListQuery,
): boolean {
  if (query.accountId !== undefined && accountId !== query.accountId) return false;
  if (query.status !== undefined && status !== query.status) return false;
  if (query.billable !== undefined && billable !== query.billable) return false;
  if (query.q === undefined) return true;
  const wanted = query.q.toLowerCase();
  return clusterId.toLowerCase().includes(wanted) || (details?.name.toLowerCase().includes(wanted) ?? false);
}

function sortedPage(views: ClusterView[], { sort, cursor, limit }: ListQuery) {
  const isDescending = sort.startsWith('-');
  const by = sort.replace('-', '') as (typeof SORTS)[number];
  const key = (view: ClusterView): readonly [string, string] => [
    by === 'name'
      ? (view.details?.name ?? '')
      : by === 'registeredAt'
        ? sortableInstant(view.registeredAt)
        : '',
    view.clusterId,
  ];
  const compare = (a: Cursor, b: Cursor) =>
    (byCodeUnit(String(a[0]), String(b[0])) || byCodeUnit(String(a[1]), String(b[1]))) *
    (isDescending ? -1 : 1);
  const keyed = views.map((view) => ({ view, key: key(view) })).sort((a, b) => compare(a.key, b.key));
  const after = decodeCursor(cursor, 'text', 'text');
  const page = pageOf(
    keyed,
    limit,
    (item) => after === undefined || compare(item.key, after) > 0,
    (item) => item.key,
  );
  return { ...page, items: page.items.map(({ view }) => view) };
}

function sortableInstant(instant: number | undefined): string {
  return instant === undefined ? '' : instantOut(instant);
}

function clusterOut({ details, halt, ...view }: ClusterView): ClusterOut {
  const { name, ...more } = details ?? {};
  return {
    clusterId: view.clusterId,
    status: view.status,
    accountId: view.accountId ?? null,
    billable: view.billable ?? null,
    name: name ?? null,
    ...more,
    registeredAt: orNull(view.registeredAt),
    deletedAt: orNull(view.deletedAt),
    billedSince: orNull(view.billedSince),
    stoppedBy: view.stoppedBy,
    lastPosition: String(view.lastPosition),
    ...(halt !== undefined && { halted: { position: String(halt.position), why: halt.why } }),
  };
}

function seenOut(watch: ProbeHistory | undefined) {
  const { aliveAt, last, announced: marks } = watch ?? {};
  const detail = last?.detail === undefined ? {} : { detail: last.detail };
  return {
    ...(aliveAt !== undefined && { lastSeen: instantOut(aliveAt) }),
    ...(last && {
      lastVerdict: { state: last.state, code: last.code, since: instantOut(last.at), ...detail },
    }),
    ...(marks?.gone === true && { verifiedGone: true }),
  };
}

function orNull(instant: number | undefined): string | null {
  return instant === undefined ? null : instantOut(instant);
}
