import { z } from 'zod';
import { CLUSTER_ORDERS, type CLUSTER_SORTS } from '../../api/clusters.ts';
import { CLUSTER_STATUSES } from '../../domain/billing/cluster-status.ts';
import { AccountId } from '../../domain/facts/fact.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { type ClusterView, viewClusterAt } from '../../projections/queries/cluster-view.ts';
import { compareCodeUnits } from '../../util/compare-code-units.ts';
import { Problem } from '../server/problem.ts';
import { Flag, instantOut, Paging, Reading } from './fields.ts';
import { type Moment, type Place, pageOf } from './paging.ts';

/** The query parameters of the list of clusters: filters, order and page. */
export const ClusterListQuery = z.strictObject({
  accountId: AccountId.optional().describe('Only the clusters of this account.'),
  billable: Flag.optional().describe('Whether the cluster is billable now.'),
  status: z.enum(CLUSTER_STATUSES).optional().describe('Only the clusters in this state.'),
  q: z.string().min(1).max(253).optional().describe('Part of the id or the name; case-insensitive.'),
  sort: z
    .enum(CLUSTER_ORDERS)
    .prefault('clusterId')
    .describe('The order; with `-` from the greatest to the least.'),
  ...Paging,
  ...Reading,
});
export type ClusterListQuery = z.output<typeof ClusterListQuery>;

/**
 * Returns the page of clusters that a query selects, as they were at a moment, and the place of the last one if there are more.
 * @param onlyAccount the account of the customer that the page is for. @throws Problem `not-found` if the query names another one
 */
export function listClusters(
  model: LedgerModel,
  asked: ClusterListQuery,
  after: Place | undefined,
  { position, now }: Moment,
  onlyAccount: string | undefined,
) {
  if (onlyAccount !== undefined && asked.accountId !== undefined && asked.accountId !== onlyAccount)
    throw new Problem('not-found', `account ${asked.accountId} does not exist`);
  const query = { ...asked, accountId: onlyAccount ?? asked.accountId };
  const candidates =
    query.accountId === undefined
      ? model.clusters.texts.keys()
      : model.clustersOf(model.accounts.find(query.accountId) ?? -1).values();
  const views: ClusterView[] = [];
  for (const cluster of candidates) {
    const view = viewClusterAt(model, cluster, now, position);
    if (view !== undefined && matches(view, query)) views.push(view);
  }
  return sortedPage(views, query, after);
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
  if (query.q === undefined) return true;
  const text = query.q.toLowerCase();
  return clusterId.toLowerCase().includes(text) || name.toLowerCase().includes(text);
}

function sortedPage(views: ClusterView[], { sort, limit }: ClusterListQuery, after: Place | undefined) {
  const isDescending = sort.startsWith('-');
  const by = sort.replace('-', '') as (typeof CLUSTER_SORTS)[number];
  const key = (view: ClusterView): readonly [string, string] => [
    by === 'name'
      ? (view.attributes.name ?? '')
      : by === 'registeredAt'
        ? sortableInstant(view.registeredAt)
        : '',
    view.clusterId,
  ];
  const compare = (a: Place, b: Place) =>
    (compareCodeUnits(String(a[0]), String(b[0])) || compareCodeUnits(String(a[1]), String(b[1]))) *
    (isDescending ? -1 : 1);
  const keyed = views.map((view) => ({ view, key: key(view) })).sort((a, b) => compare(a.key, b.key));
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
