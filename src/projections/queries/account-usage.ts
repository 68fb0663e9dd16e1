import {
  type GroupBy,
  type GroupedInterval,
  type GroupUsage,
  groupedIntervals,
  usageByGroup,
} from '../../domain/billing/group.ts';
import { clippedWindow, type UsageBreakdown, usageOf } from '../../domain/billing/usage.ts';
import { daysOf, type Instant, type Window } from '../../domain/time.ts';
import { compareCodeUnits } from '../../util/compare-code-units.ts';
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

export interface AccountUsage extends GroupedUsage {
  readonly accountId: string;
  readonly days?: readonly ({ readonly date: string } & GroupedUsage)[];
}

/** Returns the usage of one account. All measures are zero if no cluster was registered to it. */
export function accountUsage(model: LedgerModel, accountId: string, question: UsageQuestion): AccountUsage {
  return toUsage(model, model.accounts.find(accountId), accountId, question);
}

/**
 * Yields the usage of every account that has a cluster at `question.asOf`, ordered by account id.
 * @param only id of the only account to include; by default all.
 */
export function* usageByAccount(
  model: LedgerModel,
  question: UsageQuestion,
  only?: string,
): Generator<AccountUsage> {
  for (const accountId of only === undefined ? model.accounts.texts.toSorted(compareCodeUnits) : [only]) {
    const account = model.accounts.find(accountId);
    if (account === undefined) continue;
    const usage = toUsage(model, account, accountId, question);
    if (usage.usage.billableClusters > 0 || model.ownsAny(account, question.asOf)) yield usage;
  }
}

function toUsage(
  model: LedgerModel,
  account: AccountNumber | undefined,
  accountId: string,
  { window, through, asOf, byDay, groupBy }: UsageQuestion,
): AccountUsage {
  const counted = clippedWindow(window, through);
  const usageIn = (part: Window): GroupedUsage => {
    if (account === undefined) return { ...usageOf([], part), ...(groupBy !== undefined && { groups: [] }) };
    const breakdown = model.usage(account, asOf, part);
    if (groupBy === undefined) return breakdown;
    return { ...breakdown, groups: usageByGroup(groupedClusters(model, account, asOf, groupBy), part) };
  };
  if (!byDay) return { accountId, ...usageIn(counted) };
  const days = daysOf(counted).map((day) => ({ date: day.date, ...usageIn(day.window) }));
  return { accountId, ...usageIn(counted), days };
}

/** Yields the billed intervals of each cluster of an account, cut at the changes of an attribute. */
function* groupedClusters(
  model: LedgerModel,
  account: AccountNumber,
  asOf: Position,
  groupBy: GroupBy,
): Generator<readonly GroupedInterval[]> {
  const accountId = model.accounts.text(account);
  for (const cluster of model.clustersOf(account)) {
    const own = model.intervals(cluster, asOf).filter((interval) => interval.accountId === accountId);
    yield groupBy === 'clusterType'
      ? own.map(({ from, to, clusterType: value }) => ({ from, to, value }))
      : groupedIntervals(own, model.valuesOf(cluster, groupBy, asOf));
  }
}
