import { type BillingFact, billCounting, type Interval } from '../domain/cluster.ts';
import type { PlacedFact } from '../domain/fact.ts';
import { AmountSum, type Amounts } from '../domain/quantity.ts';
import { RunningUsage } from '../domain/running-usage.ts';
import { countedWindow, type Usage } from '../domain/usage.ts';
import type { LedgerModel } from './ledger-model.ts';
import type { UsageQuestion } from './usage.ts';

/** A fact, and what an account is billed once it is known. */
export interface ReplayStep {
  readonly position: number;
  readonly usage: Usage;
  /** What the fact changed. */
  readonly delta: Amounts;
}

/** A cluster as far as it has been played. */
interface Played {
  /** The facts that count, by position. */
  readonly counting: Map<number, PlacedFact<BillingFact>>;
  /** Positions of what is voided. */
  readonly voided: Set<number>;
  /** As billed to the account. */
  intervals: readonly Interval[];
}

const NOTHING: Amounts = { billableClusters: 0, clusterSeconds: '0.000' };

/** Positions of all facts, known at a position, of the clusters that were ever registered to an account, in order. */
export function positionsToReplay(model: LedgerModel, accountId: string, asOf: number): Uint32Array {
  const positions = model
    .clustersEverOf(accountId, asOf)
    .flatMap((cluster) => model.positionsOf(cluster, asOf));
  return Uint32Array.from(positions).sort();
}

/**
 * Plays facts of an account in the order in which they were recorded, and tells after each what is billed in the window.
 * After a fact only its cluster is folded again.
 * @param positions as `positionsToReplay` gives them.
 */
export function* replay(
  model: LedgerModel,
  accountId: string,
  { window, through }: Pick<UsageQuestion, 'window' | 'through'>,
  positions: Uint32Array,
): Generator<ReplayStep> {
  const edges = function* () {
    for (const position of positions) yield model.facts.effectiveAt(position);
  };
  const running = new RunningUsage(countedWindow(window, through), edges());
  const clusters = new Map<number, Played>();
  for (const position of positions) {
    const cluster = model.facts.clusterAt(position);
    let played = clusters.get(cluster);
    if (played === undefined) {
      played = { counting: new Map(), voided: new Set(), intervals: [] };
      clusters.set(cluster, played);
    }
    const before = running.usage;
    if (takeIn(model, played, position)) {
      const { registration, intervals } = billCounting([...played.counting.values()]);
      const own = registration?.fact.accountId === accountId ? intervals : [];
      running.replace(played.intervals, own);
      played.intervals = own;
    }
    const { usage } = running;
    const delta = usage === before ? NOTHING : new AmountSum().add(usage).subtract(before).total;
    yield { position, usage, delta };
  }
}

/** @returns whether the cluster may be billed otherwise with the fact at a position. */
function takeIn(model: LedgerModel, { counting, voided }: Played, position: number): boolean {
  const target = model.facts.voidedBy(position);
  if (target !== undefined) {
    voided.add(target);
    return counting.delete(target);
  }
  if (!model.facts.switchesBilling(position) || voided.has(position)) return false;
  counting.set(position, { position, fact: model.factAt(position) });
  return true;
}
