import { GroupedDailyMeter } from '../../domain/billing/daily-usage.ts';
import {
  type GroupBy,
  type GroupUsage,
  groupedIntervals,
  groupsInOrder,
} from '../../domain/billing/group.ts';
import { clippedWindow, GroupedUsageMeter, type UsageBreakdown } from '../../domain/billing/usage-meter.ts';
import { daysOf, type Instant, type Window } from '../../domain/time.ts';
import { runAtOnce } from '../../util/event-loop-yielder.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { AccountNumber } from '../model/interned-numbers.ts';
import type { LedgerModel } from '../model/ledger-model.ts';

/** A question about usage: the window, the instant up to which time counts, and the position up to which facts are known. */
export interface UsageQuestion {
  readonly window: Window;
  readonly through: Instant;
  readonly asOf: Position;
  /** Whether to include the usage of each day. */
  readonly byDay: boolean;
  /** The attribute to group by, besides the cluster type; by default none. */
  readonly groupBy?: GroupBy | undefined;
}

/** The usage of an account, and of each value of an attribute if the question asks for one. */
export interface GroupedUsage extends UsageBreakdown {
  readonly groups?: readonly GroupUsage[] | undefined;
}

/** The usage of a day, in UTC. */
export type DailyUsage = { readonly date: string } & GroupedUsage;

export interface AccountUsage extends GroupedUsage {
  readonly accountId: string;
  /** The days in order, if the question asks for them. Each is formatted when it is read, because there may be very many. */
  readonly days?: Iterable<DailyUsage>;
}

/** Returns the usage of one account. All measures are zero if no cluster was registered to it. */
export function accountUsage(model: LedgerModel, accountId: string, question: UsageQuestion): AccountUsage {
  return runAtOnce(accountUsageWithPauses(model, accountId, question));
}

/** Returns the same. The caller may pause where it yields. */
export function* accountUsageWithPauses(
  model: LedgerModel,
  accountId: string,
  { window, through, asOf, byDay, groupBy }: UsageQuestion,
): Generator<undefined, AccountUsage> {
  const counted = clippedWindow(window, through);
  const days = byDay ? daysOf(counted) : [];
  const account = model.accounts.find(accountId);
  if (account !== undefined && !byDay && groupBy === undefined)
    return { accountId, ...(yield* model.countedUsage({ account, window, through: counted.to, asOf })) };
  const types = new Meters<number>(counted, days);
  if (account !== undefined) yield* model.measure(types, account, asOf, counted);
  const usage = { accountId, usage: types.whole.usage, byType: model.byType(types.whole.groups) };
  if (groupBy === undefined) return byDay ? { ...usage, days: daily(model, days, types) } : usage;
  const values = new Meters<string | null>(counted, days);
  if (account !== undefined) yield* measureGroups(model, values, account, asOf, groupBy);
  const grouped = { ...usage, groups: groupsInOrder(values.whole.groups) };
  return byDay ? { ...grouped, days: daily(model, days, types, values) } : grouped;
}

/** Returns the accounts in order of their ids. @param only the id of the only one to include. */
export function accountsInOrder(model: LedgerModel, only: string | undefined): readonly AccountNumber[] {
  if (only === undefined) return model.accounts.sorted;
  const account = model.accounts.find(only);
  return account === undefined ? [] : [account];
}

/**
 * Yields the usage of every account that has a cluster at `question.asOf`, ordered by account id, and `undefined` where the
 * caller may pause.
 * @param choice `only` is the id of the only account to include; accounts up to `behind` are left out.
 */
export function* usageByAccount(
  model: LedgerModel,
  question: UsageQuestion,
  { only, behind }: { readonly only?: string | undefined; readonly behind?: string | undefined } = {},
): Generator<AccountUsage | undefined> {
  const { window, asOf, byDay, groupBy } = question;
  const through = clippedWindow(window, question.through).to;
  const isTotal = !byDay && groupBy === undefined;
  for (const account of accountsInOrder(model, only)) {
    const accountId = model.accounts.text(account);
    if (behind !== undefined && accountId <= behind) continue;
    // Beginning the steps of a computation takes longer than looking up what is kept.
    const known = isTotal ? model.knownUsage({ account, window, through, asOf }) : undefined;
    const usage =
      known === undefined
        ? yield* accountUsageWithPauses(model, accountId, question)
        : { accountId, usage: known.usage, byType: known.byType };
    if (usage.usage.billableClusters > 0 || model.ownsAny(account, question.asOf)) yield usage;
  }
}

/** Measures a window as a whole, and each of its days if there are any. */
class Meters<Group extends string | number | null> {
  readonly whole: GroupedUsageMeter<Group>;
  readonly daily: GroupedDailyMeter<Group> | undefined;

  constructor(counted: Window, days: readonly { readonly window: Window }[]) {
    this.whole = new GroupedUsageMeter(counted);
    if (days.length > 0) this.daily = new GroupedDailyMeter(days.map(({ window }) => window));
  }

  add(since: Instant, until: Instant, group: Group): void {
    this.whole.add(since, until, group);
    this.daily?.add(since, until, group);
  }

  endCluster(): void {
    this.whole.endCluster();
    this.daily?.endCluster();
  }
}

function* daily(
  model: LedgerModel,
  days: readonly { readonly date: string }[],
  types: Meters<number>,
  values?: Meters<string | null>,
): Generator<DailyUsage> {
  const byValue = values?.daily?.days();
  let i = 0;
  for (const { usage, groups } of types.daily?.days() ?? []) {
    const { date } = days[i++] as { readonly date: string };
    const day = { date, usage, byType: model.byType(groups) };
    const own = byValue?.next().value;
    yield own === undefined ? day : { ...day, groups: groupsInOrder(own.groups) };
  }
}

/** Measures the billed intervals of each cluster of an account, cut at the changes of an attribute. */
function* measureGroups(
  model: LedgerModel,
  meters: Meters<string | null>,
  account: AccountNumber,
  asOf: Position,
  groupBy: GroupBy,
): Generator<undefined, void> {
  const accountId = model.accounts.text(account);
  for (const cluster of model.clustersOf(account)) {
    const own = model.intervals(cluster, asOf).filter((interval) => interval.accountId === accountId);
    const grouped =
      groupBy === 'clusterType'
        ? own.map(({ from, to, clusterType: value }) => ({ from, to, value }))
        : groupedIntervals(own, model.valuesOf(cluster, groupBy, asOf));
    for (const { from, to, value } of grouped) meters.add(from, to ?? Number.POSITIVE_INFINITY, value);
    meters.endCluster();
    yield undefined;
  }
}
