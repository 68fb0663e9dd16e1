import type { ClusterStatus } from '../../domain/billing/cluster-status.ts';
import { CLUSTER_STATUSES } from '../../domain/billing/cluster-status.ts';
import { GroupedDailyMeter } from '../../domain/billing/daily-usage.ts';
import { compareTypes, GroupedUsageMeter, type UsageBreakdown } from '../../domain/billing/usage-meter.ts';
import { daysOf, type Instant, type Window } from '../../domain/time.ts';
import type { AccountNumber, ClusterNumber } from '../model/interned-numbers.ts';
import type { LedgerModel } from '../model/ledger-model.ts';
import { viewCluster } from './cluster-view.ts';

/** Everything that a ledger bills, or one account, at a glance. */
export interface PlatformOverview {
  readonly statuses: Readonly<Record<ClusterStatus, number>>;
  readonly unreadable: number;
  /** Number of clusters that are billed now, by type, in order of the types. */
  readonly billedByType: readonly { readonly clusterType: string | null; readonly billed: number }[];
  readonly month: UsageBreakdown;
  readonly days: readonly ({ readonly date: string } & UsageBreakdown)[];
}

interface Question {
  readonly now: Instant;
  /** The counted part of the month. */
  readonly month: Window;
  /** The days, cut at now. */
  readonly days: Window;
  /** The only account to look at; by default all. */
  readonly only: string | undefined;
}

/** Returns the overview of a ledger. It looks at every cluster; the caller may pause at each yield. */
export function* platformOverview(
  model: LedgerModel,
  { now, month, days, only }: Question,
): Generator<undefined, PlatformOverview> {
  const accounts: readonly AccountNumber[] =
    only === undefined ? [...model.accounts.texts.keys()] : [model.accounts.find(only) ?? []].flat();
  const clusters: Iterable<ClusterNumber> =
    only === undefined
      ? model.clusters.texts.keys()
      : accounts.flatMap((account) => model.clustersOf(account));
  const { statuses, unreadable, byType } = yield* countStatuses(model, clusters, now, only);
  const monthMeter = new GroupedUsageMeter<number>(month);
  const dates = daysOf(days);
  const dayMeter = new GroupedDailyMeter<number>(dates.map(({ window }) => window));
  for (const account of accounts) {
    yield* model.measure(monthMeter, account, model.position, month);
    yield* model.measure(dayMeter, account, model.position, days);
  }
  let i = 0;
  const daily = [];
  for (const { usage, groups } of dayMeter.days()) {
    const { date } = dates[i++] as { readonly date: string };
    daily.push({ date, usage, byType: model.byType(groups) });
    yield undefined;
  }
  return {
    statuses,
    unreadable,
    billedByType: byType,
    month: { usage: monthMeter.usage, byType: model.byType(monthMeter.groups) },
    days: daily,
  };
}

function* countStatuses(
  model: LedgerModel,
  clusters: Iterable<ClusterNumber>,
  now: Instant,
  only: string | undefined,
) {
  const statuses = Object.fromEntries(CLUSTER_STATUSES.map((status) => [status, 0])) as Record<
    ClusterStatus,
    number
  >;
  const onlyNumber = only === undefined ? undefined : model.accounts.find(only);
  const billed = new Map<number | null, number>();
  let unreadable = 0;
  for (const cluster of clusters) {
    yield undefined;
    // Most clusters are billed, and known to be so without their facts: a view of each took 60 % of the time of an overview.
    const as = model.billedAs(cluster, now);
    if (as !== undefined && model.unreadable(cluster) === undefined) {
      if (only !== undefined && as.account !== onlyNumber) continue;
      statuses.billed++;
      billed.set(as.type, (billed.get(as.type) ?? 0) + 1);
      continue;
    }
    const view = viewCluster(model, cluster, now);
    if (only !== undefined && view.attributes.accountId !== only) continue;
    if (view.unreadable === undefined) statuses[view.status]++;
    else unreadable++;
  }
  const byType = Array.from(billed, ([type, count]) => ({
    clusterType: type === null ? null : model.clusterTypes.text(type),
    billed: count,
  })).sort((a, b) => compareTypes(a.clusterType, b.clusterType));
  return { statuses, unreadable, byType };
}
