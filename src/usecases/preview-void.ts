import type { z } from 'zod';
import type { VoidPreviewOut } from '../api/corrections.ts';
import { periodAfter, periodState } from '../domain/billing/period.ts';
import { AmountSum } from '../domain/billing/quantity.ts';
import { firstChange, type OwnedIntervals } from '../domain/billing/statement.ts';
import { clippedWindow, type Usage, usageOf } from '../domain/billing/usage.ts';
import { type Instant, type Period, periodOf, periodWindow } from '../domain/time.ts';
import { factRef } from '../http/fact-view.ts';
import { refuseUnreadable } from '../http/params/read-model.ts';
import type { HttpServices } from '../http/server/app.ts';
import { problemOf } from '../http/server/problem.ts';
import type { Submission } from '../ledger/ledger.ts';
import type { EventLocation, LedgerModel } from '../projections/model/ledger-model.ts';
import { readFacts } from '../projections/queries/read-facts.ts';
import {
  type SimulatedCluster,
  simulateClusters,
  wouldChange,
} from '../projections/queries/simulated-clusters.ts';
import { EventLoopYielder } from '../util/event-loop-yielder.ts';
import { simulateFacts } from './simulate-facts.ts';

/**
 * What a void would change, of every period up to now. Nothing is written.
 * @param place of the fact. @throws Problem as the void itself would be refused.
 */
export async function previewVoid(
  { store }: HttpServices,
  model: LedgerModel,
  place: EventLocation & { readonly clusterId: string },
  submission: Submission,
  now: Instant,
): Promise<z.output<typeof VoidPreviewOut>> {
  const { clusterId, position } = place;
  const cluster = model.clusters.find(clusterId) as number;
  refuseUnreadable(model, cluster);
  const asOf = model.position;
  const known = model.positionsOf(cluster, asOf).length;
  const supposition = { clusterId, known, removed: new Set<string>(), added: [submission] };
  const { billing, outcomes } = await simulateFacts(store, supposition, { now, mayBackdate: true });
  for (const outcome of outcomes) if (outcome.outcome === 'rejected') throw problemOf(outcome.rejection);
  const was = model.billing(cluster, asOf);
  const accountId = (was.registration ?? billing.registration)?.fact.accountId;
  const clusters =
    accountId === undefined
      ? []
      : await simulateClusters(model, accountId, asOf, new Map([[clusterId, billing]]));
  const facts = await readFacts(store, model, [position]);
  const fact = factRef(model, facts, position);
  return {
    outcome: 'would-void',
    eventId: fact.eventId,
    clusterId,
    accountId: accountId ?? null,
    fact,
    periods: await periodsChanged(model, clusters, now),
  };
}

/** A period at a time, so that a large account keeps nobody waiting. */
async function periodsChanged(model: LedgerModel, clusters: readonly SimulatedCluster[], now: Instant) {
  const accountId = undefined;
  const changed = clusters.flatMap((cluster) => {
    const [before, after] = [cluster.before, cluster.after].map((intervals) => ({ accountId, intervals }));
    const since = firstChange(before as OwnedIntervals, after as OwnedIntervals);
    return since === undefined ? [] : [{ cluster, since }];
  });
  const periods: z.output<typeof VoidPreviewOut>['periods'] = [];
  if (changed.length === 0) return periods;
  const first = periodOf(Math.min(...changed.map(({ since }) => since)));
  const slices = new EventLoopYielder();
  for (let period: Period = first; period <= periodOf(now); period = periodAfter(period)) {
    const counted = clippedWindow(periodWindow(period), now);
    if (!changed.some(({ cluster }) => wouldChange(cluster, counted))) continue;
    const [before, after] = (['before', 'after'] as const).map((when) =>
      usageOf(
        clusters.values().map((cluster) => cluster[when]),
        counted,
      ),
    ) as [Usage, Usage];
    const delta = new AmountSum().add(after).subtract(before).total;
    const state = periodState(period, model.closingOf(period) !== undefined, now);
    periods.push({ period, state, before, after, delta });
    if (slices.isDue) await slices.yield();
  }
  return periods;
}
