import { type Interval, ownerAt } from '../../domain/billing/billing.ts';
import {
  type CountedInterval,
  countedIntervals,
  type NotBilled,
  whyNotBilled,
} from '../../domain/billing/explanation.ts';
import { clippedWindow, type UsageBreakdown, usageOf } from '../../domain/billing/usage-meter.ts';
import type { ClusterAttributes } from '../../domain/facts/fact.ts';
import { yieldingToEventLoop } from '../../util/event-loop-yielder.ts';
import type { LedgerModel } from '../model/ledger-model.ts';
import type { UsageQuestion } from './account-usage.ts';
import { toAccount } from './differences.ts';

/** The contribution of one cluster to the usage of an account. */
export interface ExplainedCluster {
  readonly clusterId: string;
  /** As it last was while the account owned the cluster; `undefined` if it has no active registration, or was never billed to the account. */
  readonly name: string | undefined;
  readonly billable: boolean | undefined;
  readonly intervals: readonly CountedInterval[];
  /** Why the cluster contributes nothing; `undefined` if it contributes. */
  readonly why: NotBilled | undefined;
}

export interface Explanation extends UsageBreakdown {
  /** All clusters ever registered to the account, ordered by id. */
  readonly clusters: readonly ExplainedCluster[];
}

/**
 * Breaks the usage of an account down by cluster. It yields to the event loop, and depends only on facts up to `asOf`.
 * @param signal ends the work: it then throws its reason.
 */
export async function explainUsage(
  model: LedgerModel,
  accountId: string,
  question: Omit<UsageQuestion, 'byDay'>,
  signal?: AbortSignal,
): Promise<Explanation> {
  const counted = clippedWindow(question.window, question.through);
  const clusters: ExplainedCluster[] = [];
  const billed: (readonly Interval[])[] = [];
  for await (const { intervals, ...cluster } of yieldingToEventLoop(
    contributions(model, accountId, question),
    signal,
  )) {
    const parts = countedIntervals(intervals, counted);
    clusters.push({ ...cluster, intervals: parts, why: parts.length === 0 ? cluster.why : undefined });
    if (parts.length > 0) billed.push(intervals);
  }
  return { ...usageOf(billed, counted), clusters };
}

function* contributions(
  model: LedgerModel,
  accountId: string,
  { window, through, asOf }: Omit<UsageQuestion, 'byDay'>,
) {
  const counted = clippedWindow(window, through);
  for (const cluster of model.clustersEverOf(accountId, asOf)) {
    const billing = model.billing(cluster, asOf);
    const { registration, intervals } = billing;
    const own = toAccount(intervals, accountId);
    // A later owner may have renamed the cluster: the account sees it as it was at the end of its own time.
    const isOwner = ownerAt(billing, counted.to - 1) === accountId;
    const lastOwned = isOwner ? counted.to : (own.at(-1)?.to ?? undefined);
    const attributes: ClusterAttributes =
      lastOwned === undefined ? {} : model.attributesIn(billing, lastOwned - 1);
    yield {
      clusterId: model.clusters.text(cluster),
      name: attributes.name,
      billable:
        registration === undefined || lastOwned === undefined ? undefined : (attributes.billable ?? true),
      intervals: own,
      why: whyNotBilled(billing, accountId, counted),
    };
  }
}
