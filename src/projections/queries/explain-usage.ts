import type { Interval } from '../../domain/billing/billing.ts';
import {
  type CountedInterval,
  countedIntervals,
  type NotBilled,
  whyNotBilled,
} from '../../domain/billing/explanation.ts';
import { clippedWindow, type UsageBreakdown, usageOf } from '../../domain/billing/usage.ts';
import { yieldingToEventLoop } from '../../util/event-loop-yielder.ts';
import type { LedgerModel } from '../model/ledger-model.ts';
import type { UsageQuestion } from './account-usage.ts';
import { toAccount } from './differences.ts';

/** What one cluster adds to the usage of an account, and from when to when. */
export interface ExplainedCluster {
  readonly clusterId: string;
  /** `undefined` where no registration counts. */
  readonly name: string | undefined;
  readonly billable: boolean | undefined;
  readonly intervals: readonly CountedInterval[];
  /** Where it adds nothing. */
  readonly why: NotBilled | undefined;
}

export interface Explanation extends UsageBreakdown {
  /** Every cluster that was ever registered to the account, in order of the ids. */
  readonly clusters: readonly ExplainedCluster[];
}

/** Breaks the usage of an account down, a slice at a time: a function of the facts up to the position asked about. */
export async function explainUsage(
  model: LedgerModel,
  accountId: string,
  question: Omit<UsageQuestion, 'byDay'>,
): Promise<Explanation> {
  const counted = clippedWindow(question.window, question.through);
  const clusters: ExplainedCluster[] = [];
  const billed: (readonly Interval[])[] = [];
  for await (const { intervals, ...cluster } of yieldingToEventLoop(workOut(model, accountId, question))) {
    const parts = countedIntervals(intervals, counted);
    clusters.push({ ...cluster, intervals: parts, why: parts.length === 0 ? cluster.why : undefined });
    if (parts.length > 0) billed.push(intervals);
  }
  return { ...usageOf(billed, counted), clusters };
}

function* workOut(
  model: LedgerModel,
  accountId: string,
  { window, through, asOf }: Omit<UsageQuestion, 'byDay'>,
) {
  const counted = clippedWindow(window, through);
  for (const cluster of model.clustersEverOf(accountId, asOf)) {
    const billing = model.billing(cluster, asOf);
    const { registration, intervals } = billing;
    const attributes = model.attributes(cluster, counted.to - 1, asOf);
    yield {
      clusterId: model.clusters.text(cluster),
      name: attributes.name,
      billable: registration === undefined ? undefined : (attributes.billable ?? true),
      intervals: toAccount(intervals, accountId),
      why: whyNotBilled(billing, accountId, counted),
    };
  }
}
