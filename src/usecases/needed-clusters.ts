import { changesWithin, isWithin, type OwnedInterval } from '../domain/billing/statement.ts';
import { type Instant, type Period, periodWindow, type Window } from '../domain/time.ts';
import type { ClusterNumber } from '../projections/model/interned-numbers.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import { toAccount } from '../projections/queries/differences.ts';
import { closedQuestion, earlierChanges } from '../projections/queries/period-statements.ts';
import { EventLoopYielder, runYielding } from '../util/event-loop-yielder.ts';
import type { Position } from '../util/log-numbers.ts';

/** A cluster that any fact gives to the account, and the positions of all of its facts. */
export interface EvidenceCluster {
  readonly clusterId: string;
  readonly positions: readonly number[];
}

/** The figure that the facts of each cluster must give. */
interface Need {
  readonly accountId: string;
  /** The last position that the figure knows, and that of the statements before it. */
  readonly end: Position;
  readonly previous: Position;
  /** End of the period of the figure. */
  readonly until: Instant;
  /** End of the last earlier period in which a cluster changed. */
  readonly changedUntil: Instant;
}

/**
 * Returns the part of the clusters that the figure needs: the clusters that are billed to the account in the period, or in an
 * earlier one that the statement adjusts or in which changes cancel out, with the facts up to the watermark of the statement.
 * @param size number of events that the checkpoint covers. @param clusters every cluster that any of them gives to the account.
 */
export async function neededClusters(
  model: LedgerModel,
  { accountId, period, size }: { accountId: string; period: Period; size: Position },
  clusters: readonly EvidenceCluster[],
): Promise<EvidenceCluster[]> {
  const question = closedQuestion(model, period);
  const changed = question === undefined ? [] : await runYielding(earlierChanges(model, question, accountId));
  const windows = [period, ...changed].map(periodWindow);
  const end = question?.watermark ?? size;
  const need = {
    accountId,
    end,
    previous: question?.earlier.at(-1)?.watermark ?? end,
    until: periodWindow(period).to,
    changedUntil: Math.max(...changed.map((earlier) => periodWindow(earlier).to)),
  };
  const needed: EvidenceCluster[] = [];
  const yielder = new EventLoopYielder();
  for (const { clusterId, positions } of clusters) {
    if (yielder.isDue) await yielder.yield();
    const known = positions.filter((position) => position <= end);
    const cluster = model.clusters.find(clusterId) as ClusterNumber;
    const count = neededFacts(model, cluster, { known, windows, need });
    if (count > 0) needed.push({ clusterId, positions: known.slice(0, count) });
  }
  return needed;
}

/**
 * Returns the number of facts, from the first one, that the figure needs of a cluster. Of a cluster that is no longer billed to
 * the account, the last facts may be those of another account. They are left out if the verifier computes the same bill and the
 * same causes of adjustments without them.
 */
function neededFacts(
  model: LedgerModel,
  cluster: ClusterNumber,
  {
    known,
    windows,
    need: { accountId, end, previous, until, changedUntil },
  }: { known: readonly Position[]; windows: readonly Window[]; need: Need },
): number {
  const billAsOf = (asOf: Position) => toAccount(model.intervals(cluster, asOf), accountId);
  // An adjustment is also about what was billed as known at the previous closing.
  const [was, is] = [billAsOf(previous), billAsOf(end)];
  if (!windows.some((window) => [...was, ...is].some((interval) => isWithin(interval, window)))) return 0;
  if (is.at(-1)?.to === null) return known.length;
  const isAdjusted = !isSameBill(was, is, changedUntil);
  const causesAsOf = (asOf: Position) =>
    model
      .changes(cluster, previous, asOf)
      .filter(({ effectiveAt }) => effectiveAt < changedUntil)
      .map(({ causePosition, effectiveAt }) => `${causePosition} ${effectiveAt}`)
      .join();
  const causes = isAdjusted ? causesAsOf(end) : '';
  return fewest(known.length, (count) => {
    const last = known[count - 1] as Position;
    const bill = billAsOf(last);
    if (!isSameBill(bill, is, until) || (last < previous && !isSameBill(bill, was, until))) return false;
    return !isAdjusted || causesAsOf(last) === causes;
  });
}

/** Returns whether two bills of a cluster to one account are the same before an instant. */
function isSameBill(a: readonly OwnedInterval[], b: readonly OwnedInterval[], until: Instant): boolean {
  return !changesWithin(a, b, { from: Number.NEGATIVE_INFINITY, to: until });
}

/** Returns a number from 1 that is enough, and of which one less is not. All are enough. */
function fewest(all: number, isEnough: (count: number) => boolean): number {
  let [tooFew, enough] = [0, all];
  while (enough - tooFew > 1) {
    const between = Math.floor((tooFew + enough) / 2);
    if (isEnough(between)) enough = between;
    else tooFew = between;
  }
  return enough;
}
