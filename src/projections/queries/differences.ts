import { type BillingFact, billActiveFacts } from '../../domain/billing/billing.ts';
import { minimizeChanges } from '../../domain/billing/minimize-changes.ts';
import { changesWithin, type OwnedInterval } from '../../domain/billing/statement.ts';
import type { KnownFact } from '../../domain/facts/fact.ts';
import type { Window } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { BillingChange } from '../model/cluster-facts.ts';
import type { ClusterNumber } from '../model/interned-numbers.ts';
import type { LedgerModel } from '../model/ledger-model.ts';

/** A cluster whose active facts differ between two positions. */
interface Rebilled {
  /** In the order of the log. */
  readonly changes: readonly BillingChange[];
  readonly was: readonly OwnedInterval[];
  readonly is: readonly OwnedInterval[];
}

/** Two positions; `before` is not greater than `after`. */
export interface Span {
  readonly before: Position;
  readonly after: Position;
}

/** Returns how a cluster is billed at two positions; `undefined` if the same facts are active at both. */
export function rebilled(
  model: LedgerModel,
  cluster: ClusterNumber,
  { before, after }: Span,
): Rebilled | undefined {
  const changes = model.changes(cluster, before, after);
  if (changes.length === 0) return undefined;
  return { changes, was: model.intervals(cluster, before), is: model.intervals(cluster, after) };
}

/**
 * Yields the changes between two positions that explain a difference in the billing of an account in a window: they alone
 * turn the first state into the second, and without them nothing changes. Changes of two clusters that cancel out in the
 * figure are included. Yields `undefined` where the caller may pause.
 */
export function* differencesOf(
  model: LedgerModel,
  accountId: string,
  span: Span,
  counted: Window,
): Generator<BillingChange | undefined> {
  for (const cluster of model.clustersEverOf(accountId, span.after)) {
    yield undefined;
    const cause = rebilled(model, cluster, span);
    if (cause === undefined) continue;
    const [was, is] = [toAccount(cause.was, accountId), toAccount(cause.is, accountId)];
    if (!changesWithin(was, is, counted)) continue;
    // A fact that is effective at or after the end of the window cannot have changed it.
    const candidates = cause.changes.filter(({ effectiveAt }) => effectiveAt < counted.to);
    const { billedWith, cost } = hypotheses(model, cluster, span);
    const makesIt = function* (some: ReadonlySet<BillingChange>): Generator<undefined, boolean> {
      if (changesWithin(toAccount(billedWith(some), accountId), is, counted)) return false;
      // Each of the two folds all facts of the cluster.
      yield undefined;
      const others = candidates.filter((change) => !some.has(change));
      return !changesWithin(toAccount(billedWith(others), accountId), was, counted);
    };
    yield* yield* minimizeChanges(candidates, makesIt, cost);
  }
}

/** Returns the intervals that are billed to an account. */
export function toAccount<I extends OwnedInterval>(intervals: readonly I[], accountId: string): readonly I[] {
  return intervals.filter((interval) => interval.accountId === accountId);
}

/** Returns a function that computes how the cluster would be billed if only some of the changes had happened. */
function hypotheses(model: LedgerModel, cluster: ClusterNumber, { before, after }: Span) {
  const known = new Map<number, KnownFact<BillingFact>>();
  const wasCounting = new Set<number>();
  for (const fact of model.activeFacts(cluster, after)) known.set(fact.order, fact);
  for (const fact of model.activeFacts(cluster, before)) {
    known.set(fact.order, fact);
    wasCounting.add(fact.order);
  }
  const billedWith = (some: Iterable<BillingChange>): readonly OwnedInterval[] => {
    const active = new Set(wasCounting);
    for (const { position } of some) if (!active.delete(position)) active.add(position);
    return billActiveFacts([...known.values()].filter(({ order }) => active.has(order))).intervals;
  };
  return { billedWith, cost: 2 * known.size };
}
