import { AmountSum, type Amounts } from '../../domain/billing/quantity.ts';
import { RunningUsage } from '../../domain/billing/running-usage.ts';
import { clippedWindow, type Usage } from '../../domain/billing/usage-meter.ts';
import { EventLoopYielder } from '../../util/event-loop-yielder.ts';
import type { Position } from '../../util/log-numbers.ts';
import { BillHistory } from '../model/bill-history.ts';
import type { ClusterNumber } from '../model/interned-numbers.ts';
import type { LedgerModel } from '../model/ledger-model.ts';
import type { UsageQuestion } from './account-usage.ts';

/** A fact, and the usage of an account once the fact is known. */
export interface ReplayStep {
  readonly position: Position;
  readonly usage: Usage;
  /** Change of the usage by the fact. */
  readonly delta: Amounts;
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
  const histories = new Map<ClusterNumber, BillHistory>();
  for (const position of positions) {
    const cluster = model.facts.clusterAt(position);
    let history = histories.get(cluster);
    if (history === undefined) {
      history = new BillHistory();
      histories.set(cluster, history);
    }
    const before = running.usage;
    const changes = history.extend(model.facts, position, Number.POSITIVE_INFINITY) ?? [];
    if ('formers' in changes) throw new Error('the intervals that a fact changes are not computed');
    for (const { from, to, account: owner, sign } of changes)
      if (owner === account) running.add(cluster, from, to, sign);
    const { usage } = running;
    const delta = usage === before ? NOTHING : new AmountSum().add(usage).subtract(before).total;
    yield { position, usage, delta };
  }
}
