import type { Interval } from '../../domain/billing/billing.ts';
import { AmountSum, type Amounts } from '../../domain/billing/quantity.ts';
import { RunningUsage } from '../../domain/billing/running-usage.ts';
import { clippedWindow, type Usage } from '../../domain/billing/usage.ts';
import { EventLoopYielder } from '../../util/event-loop-yielder.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { BilledChange } from '../model/billed-rows.ts';
import type { ClusterNumber } from '../model/interned-numbers.ts';
import type { LedgerModel } from '../model/ledger-model.ts';
import type { UsageQuestion } from './account-usage.ts';
import { toAccount } from './differences.ts';

/** A fact, and the usage of an account once the fact is known. */
export interface ReplayStep {
  readonly position: Position;
  readonly usage: Usage;
  /** Change of the usage by the fact. */
  readonly delta: Amounts;
}

/** State of a cluster during a replay. */
interface ReplayedCluster {
  /** Changes by position of the fact; `undefined` if the cluster must be folded after each fact. */
  readonly changes: ReadonlyMap<number, readonly BilledChange[]> | undefined;
  intervals: readonly Interval[];
}

const NOTHING: Amounts = { billableClusters: 0, clusterSeconds: '0.000' };

/** Returns the positions, in order, of all facts known at `asOf` of the clusters ever registered to an account. @param signal ends the work. */
export async function positionsToReplay(
  model: LedgerModel,
  accountId: string,
  asOf: Position,
  signal?: AbortSignal,
): Promise<Uint32Array> {
  const slices = new EventLoopYielder(signal);
  const positions: number[] = [];
  for (const cluster of model.clustersEverOf(accountId, asOf)) {
    for (const position of model.positionsOf(cluster, asOf)) positions.push(position);
    if (slices.isDue) await slices.yield();
  }
  return Uint32Array.from(positions).sort();
}

/**
 * Replays facts of an account in the order in which they were recorded, and yields the usage in the window after each.
 * @param positions as `positionsToReplay` returns them.
 */
export function* replay(
  model: LedgerModel,
  accountId: string,
  { window, through }: Pick<UsageQuestion, 'window' | 'through'>,
  positions: Uint32Array,
): Generator<ReplayStep> {
  const account = model.accounts.find(accountId) ?? -1;
  const edges = positions.values().map((position) => model.facts.effectiveAt(position));
  const running = new RunningUsage(clippedWindow(window, through), edges);
  const clusters = new Map<number, ReplayedCluster>();
  for (const position of positions) {
    const cluster = model.facts.clusterAt(position);
    let replayed = clusters.get(cluster);
    if (replayed === undefined) {
      replayed = { changes: model.billedChanges(cluster), intervals: [] };
      clusters.set(cluster, replayed);
    }
    const before = running.usage;
    if (replayed.changes === undefined) foldAgain(model, accountId, cluster, position, replayed, running);
    else
      for (const { from, to, account: owner, sign } of replayed.changes.get(position) ?? [])
        if (owner === account) running.add(cluster, from, to, sign);
    const { usage } = running;
    const delta = usage === before ? NOTHING : new AmountSum().add(usage).subtract(before).total;
    yield { position, usage, delta };
  }
}

function foldAgain(
  model: LedgerModel,
  accountId: string,
  cluster: ClusterNumber,
  position: Position,
  replayed: ReplayedCluster,
  running: RunningUsage,
): void {
  const own = toAccount(model.intervals(cluster, position), accountId);
  running.replace(cluster, replayed.intervals, own);
  replayed.intervals = own;
}
