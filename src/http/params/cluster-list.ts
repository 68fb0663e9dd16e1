import { z } from 'zod';
import { CLUSTER_ORDERS, type CLUSTER_SORTS } from '../../api/clusters.ts';
import { CLUSTER_STATUSES } from '../../domain/billing/cluster-status.ts';
import { clippedWindow } from '../../domain/billing/usage-meter.ts';
import { AccountId, ClusterType } from '../../domain/facts/fact.ts';
import { periodOf, periodWindow } from '../../domain/time.ts';
import type { ClusterNumber } from '../../projections/model/interned-numbers.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { billedToOwner, type ClusterView, viewClusterAt } from '../../projections/queries/cluster-view.ts';
import { compareCodeUnits } from '../../util/compare-code-units.ts';
import { yieldingToEventLoop } from '../../util/event-loop-yielder.ts';
import { Problem } from '../server/problem.ts';
import { Flag, instantOut, Paging, Reading } from './fields.ts';
import { type Moment, type Place, pageOf } from './paging.ts';

/** Number of digits of the milliseconds of a month, so that texts sort like numbers. */
const MILLISECOND_DIGITS = 12;

/** Labels with their values, separated by commas: `team=payments,env=prod`. */
const LABEL_SELECTOR = /^[^=,]{1,253}=[^,]{0,253}(?:,[^=,]{1,253}=[^,]{0,253}){0,15}$/;

/** The query parameters of the list of clusters: filters, order and page. */
export const ClusterListQuery = z.strictObject({
  accountId: AccountId.optional().describe('Only the clusters of this account.'),
  billable: Flag.optional().describe('Whether the cluster is billable now.'),
  status: z.enum(CLUSTER_STATUSES).optional().describe('Only the clusters in this state.'),
  clusterType: ClusterType.optional().describe('Only the clusters of this type.'),
  labels: z
    .string()
    .regex(LABEL_SELECTOR, 'must be labels with their values: key=value, several separated by commas')
    .meta({ examples: ['team=payments,env=prod'] })
    .optional()
    .describe('Only the clusters that have all of these labels: `key=value`, several separated by commas.'),
  q: z.string().min(1).max(253).optional().describe('Part of the id or the name; case-insensitive.'),
  sort: z
    .enum(CLUSTER_ORDERS)
    .prefault('clusterId')
    .describe('The order; with `-` from the greatest to the least.'),
  billedTime: Flag.optional().describe('Whether each cluster has the time billed in the current period.'),
  total: Flag.optional().describe('Whether the first page has the number of all selected clusters.'),
  ...Paging,
  ...Reading,
});
export type ClusterListQuery = z.output<typeof ClusterListQuery>;

/**
 * Returns the page of clusters that a query selects, as they were at a moment, and the place of the last one if there are more.
 * Yields to the event loop, because it may look at every cluster.
 * @param onlyAccount the account of the customer that the page is for. @throws Problem `not-found` if the query names another one
 */
export async function listClusters(
  model: LedgerModel,
  asked: ClusterListQuery,
  after: Place | undefined,
  moment: Moment,
  onlyAccount: string | undefined,
) {
  if (onlyAccount !== undefined && asked.accountId !== undefined && asked.accountId !== onlyAccount)
    throw new Problem('not-found', `account ${asked.accountId} does not exist`);
  const query = { ...asked, accountId: onlyAccount ?? asked.accountId };
  const views: ClusterView[] = [];
  // In order of the ids, no cluster behind the page decides about it.
  const isCounted = query.total === true && after === undefined;
  const enough = isById(query) && !isCounted ? query.limit + 1 : Number.POSITIVE_INFINITY;
  for await (const view of yieldingToEventLoop(viewsOf(model, query, after, moment)))
    if (views.push(view) === enough) break;
  const keyOf = sortKey(model, query, moment);
  return { ...sortedPage(views, query, after, keyOf), total: isCounted ? views.length : undefined };
}

function isById({ sort }: ClusterListQuery): boolean {
  return sort === 'clusterId' || sort === '-clusterId';
}

/** Yields the selected clusters, and `undefined` for the others. By id, they are in order and behind the page before. */
function* viewsOf(
  model: LedgerModel,
  query: ClusterListQuery,
  after: Place | undefined,
  { position, now }: Moment,
): Generator<ClusterView | undefined> {
  const candidates =
    query.accountId === undefined
      ? model.clusters.texts.keys()
      : model.clustersOf(model.accounts.find(query.accountId) ?? -1).values();
  for (const cluster of isById(query) ? idsBehind(model, candidates, query, after) : candidates) {
    const view = viewClusterAt(model, cluster, now, position);
    yield view !== undefined && matches(view, query) ? view : undefined;
  }
}

/** Returns the clusters behind a place in order of their ids. */
function idsBehind(
  model: LedgerModel,
  candidates: Iterable<ClusterNumber>,
  { sort }: ClusterListQuery,
  after: Place | undefined,
): ClusterNumber[] {
  const direction = sort.startsWith('-') ? -1 : 1;
  const compare = (a: string, b: string) => compareCodeUnits(a, b) * direction;
  const behind = after === undefined ? undefined : String(after[1]);
  return Array.from(candidates, (cluster) => ({ cluster, id: model.clusters.text(cluster) }))
    .filter(({ id }) => behind === undefined || compare(id, behind) > 0)
    .sort((a, b) => compare(a.id, b.id))
    .map(({ cluster }) => cluster);
}

function matches(
  { status, clusterId, registeredAt, attributes }: ClusterView,
  query: ClusterListQuery,
): boolean {
  const { accountId, name = '' } = attributes;
  const billable = registeredAt === undefined ? undefined : (attributes.billable ?? true);
  if (query.accountId !== undefined && accountId !== query.accountId) return false;
  if (query.status !== undefined && status !== query.status) return false;
  if (query.billable !== undefined && billable !== query.billable) return false;
  if (query.clusterType !== undefined && attributes.clusterType !== query.clusterType) return false;
  if (query.labels !== undefined && !hasLabels(attributes.labels, query.labels)) return false;
  if (query.q === undefined) return true;
  const text = query.q.toLowerCase();
  return clusterId.toLowerCase().includes(text) || name.toLowerCase().includes(text);
}

function hasLabels(labels: Readonly<Record<string, string>> = {}, selector: string): boolean {
  return selector.split(',').every((pair) => {
    const at = pair.indexOf('=');
    const key = pair.slice(0, at);
    return Object.hasOwn(labels, key) && labels[key] === pair.slice(at + 1);
  });
}

/** Returns the text by which a cluster is sorted. Clusters with the same text are in order of their ids. */
function sortKey(
  model: LedgerModel,
  { sort }: ClusterListQuery,
  { position, now }: Moment,
): (view: ClusterView) => string {
  const counted = clippedWindow(periodWindow(periodOf(now)), now);
  const keys: Readonly<Record<(typeof CLUSTER_SORTS)[number], (view: ClusterView) => string>> = {
    clusterId: () => '',
    name: ({ attributes }) => attributes.name ?? '',
    registeredAt: ({ registeredAt }) => sortableInstant(registeredAt),
    accountId: ({ attributes }) => attributes.accountId ?? '',
    status: ({ status }) => status,
    billedSince: ({ billedSince }) => sortableInstant(billedSince),
    billedThisPeriod: (view) => {
      const cluster = model.clusters.find(view.clusterId) as ClusterNumber;
      return String(billedToOwner(model, cluster, view, counted, position)).padStart(MILLISECOND_DIGITS, '0');
    },
  };
  return keys[sort.replace('-', '') as (typeof CLUSTER_SORTS)[number]];
}

function sortedPage(
  views: ClusterView[],
  { sort, limit }: ClusterListQuery,
  after: Place | undefined,
  keyOf: (view: ClusterView) => string,
) {
  const direction = sort.startsWith('-') ? -1 : 1;
  const compare = (a: Place, b: Place) =>
    (compareCodeUnits(String(a[0]), String(b[0])) || compareCodeUnits(String(a[1]), String(b[1]))) *
    direction;
  const keyed = views
    .map((view) => ({ view, key: [keyOf(view), view.clusterId] as const }))
    .sort((a, b) => compare(a.key, b.key));
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
