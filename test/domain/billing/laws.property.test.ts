import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { billCluster, causesStopping, isBilledAt } from '../../../src/domain/billing/billing.ts';
import { AmountSum } from '../../../src/domain/billing/quantity.ts';
import { usageOf } from '../../../src/domain/billing/usage-meter.ts';
import { CAUSES, type Fact, type KnownFact } from '../../../src/domain/facts/fact.ts';
import { serializeFact } from '../../../src/domain/facts/recorded-fact.ts';
import { clusterStream } from '../../../src/domain/stream-table.ts';
import type { LogEvent } from '../../../src/eventstore/event-store.ts';
import { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import { billedAt, usageAt, usageByTypeAt } from '../../oracle/oracle.ts';
import { forOracle, histories, idAt, instants, LAST } from '../../support/random-histories.ts';

/** Laws of billing, each tried on a thousand histories; a failure prints the seed and the smallest history that breaks it. */

const everyInstant = Array.from({ length: LAST + 3 }, (_, i) => i);
const tried = { numRuns: 1_000 };

describe('one cluster', () => {
  test('is billed at t, to its owner then and as its type then, exactly if R <= t < D, it is billable and no cause stops it', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { intervals } = billCluster(history);
        const byTheRules = forOracle(history);
        for (const t of everyInstant) {
          const interval = intervals.find(({ from, to }) => from <= t && (to === null || t < to));
          const owner = interval && { accountId: interval.accountId, clusterType: interval.clusterType };
          expect(owner, `at ${t}`).toEqual(billedAt(byTheRules, BigInt(t)));
        }
      }),
      tried,
    );
  });

  test('has the same bill in any order and with any repeats of its facts', () => {
    const shuffled = histories.chain((history) =>
      fc.tuple(
        fc.constant(history),
        fc.shuffledSubarray([...history, ...history], { minLength: 0 }).map((some) => [...some, ...history]),
        fc.shuffledSubarray(history, { minLength: history.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([history, repeated, reordered]) => {
        expect(billCluster(repeated)).toEqual(billCluster(history));
        expect(billCluster(reordered)).toEqual(billCluster(history));
      }),
      tried,
    );
  });

  test('is never billed at or after its deletion', () => {
    fc.assert(
      fc.property(histories, instants, (history, deletedAt) => {
        const deletion = known(99, { type: 'ClusterDeleted', clusterId: 'c1', effectiveAt: deletedAt });
        const { intervals } = billCluster([...history, deletion]);
        for (const { to } of intervals) {
          expect(to).not.toBeNull();
          expect(to).toBeLessThanOrEqual(deletedAt);
        }
      }),
      tried,
    );
  });

  test('is billed in intervals that are in order, not empty, and differ in owner or type if they touch', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { intervals } = billCluster(history);
        for (const [i, { from, to, accountId, clusterType }] of intervals.entries()) {
          expect(from).toBeLessThan(to ?? Number.POSITIVE_INFINITY);
          const next = intervals[i + 1];
          if (next === undefined) continue;
          expect(to ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(next.from);
          const isSameOwner = accountId === next.accountId && clusterType === next.clusterType;
          if (isSameOwner) expect(to).not.toBe(next.from);
        }
      }),
      tried,
    );
  });

  test('names as openers and closers facts that took effect at that instant', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const at = (by: number | null) => history.find(({ order }) => order === by)?.fact.effectiveAt;
        for (const { from, to, openedBy, closedBy } of billCluster(history).intervals) {
          expect([at(openedBy), at(closedBy) ?? null]).toEqual([from, to]);
        }
      }),
      tried,
    );
  });

  test('is never billed while it is an orphan or free', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const free = history.map((each) => ({
          ...each,
          fact:
            each.fact.type === 'ClusterRegistered' || each.fact.type === 'ClusterChanged'
              ? { ...each.fact, billable: false }
              : each.fact,
        }));
        const orphan = history.filter(({ fact }) => fact.type !== 'ClusterRegistered');
        expect([billCluster(free).intervals, billCluster(orphan).intervals]).toEqual([[], []]);
      }),
      tried,
    );
  });
});

describe('a cause', () => {
  test.each(CAUSES)('%s is independent: facts of other causes never change its state', (cause) => {
    const ofOthers = ({ fact }: KnownFact<Fact>) => 'cause' in fact && fact.cause !== cause;
    fc.assert(
      fc.property(histories, (history) => {
        const all = billCluster(history).switches[cause];
        expect(billCluster(history.filter((each) => !ofOthers(each))).switches[cause]).toEqual(all);
      }),
      tried,
    );
  });

  test('can only reduce billed time while it stops billing', () => {
    const stop = fc.record({ cause: fc.constantFrom(...CAUSES), effectiveAt: instants });
    fc.assert(
      fc.property(histories, stop, (history, { cause, effectiveAt }) => {
        const stopped = known(99, { type: 'BillingStopped', clusterId: 'c1', effectiveAt, cause });
        const before = billCluster(history);
        const after = billCluster([...history, stopped]);
        for (const t of everyInstant) {
          if (isBilledAt(after.intervals, t)) expect(isBilledAt(before.intervals, t)).toBe(true);
          if (isBilledAt(after.intervals, t)) expect(causesStopping(after.switches, t)).toEqual([]);
        }
      }),
      tried,
    );
  });
});

describe('the usage of an account', () => {
  const fleets = fc.array(histories, { maxLength: 5 });
  const windows = fc
    .tuple(instants, instants)
    .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
  const intervalsOf = (fleet: readonly KnownFact<Fact>[][]) =>
    fleet.map((history) => billCluster(history).intervals.filter(({ accountId }) => accountId === 'acme'));

  test('equals the rules evaluated at every instant', () => {
    fc.assert(
      fc.property(fleets, windows, (fleet, window) => {
        const facts = fleet.flatMap((history, n) =>
          forOracle(history).map((fact) => ({
            ...fact,
            clusterId: `c${n}`,
            eventId: `${n}-${fact.eventId}`,
            ...(fact.voids !== undefined && { voids: `${n}-${fact.voids}` }),
          })),
        );
        const to = BigInt(window.to);
        const asked = [facts, Number.POSITIVE_INFINITY, 'acme', [BigInt(window.from), to], to] as const;
        expect(usageOf(intervalsOf(fleet), window)).toEqual({
          usage: usageAt(...asked),
          byType: usageByTypeAt(...asked),
        });
      }),
      tried,
    );
  });

  test('adds up over any split of the window', () => {
    fc.assert(
      fc.property(fleets, fc.array(instants, { minLength: 2, maxLength: 6 }), (fleet, edges) => {
        const sorted = edges.toSorted((a, b) => a - b);
        const intervals = intervalsOf(fleet);
        const milliseconds = (from: number, to: number) =>
          Number(usageOf(intervals, { from, to }).usage.clusterSeconds.replace('.', ''));
        const parts = sorted.slice(1).map((to, i) => milliseconds(sorted[i] as number, to));
        const whole = milliseconds(sorted[0] as number, sorted.at(-1) as number);
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(whole);
      }),
      tried,
    );
  });

  test('peaks at no less than its start, its end and its average, and at no more than its clusters', () => {
    fc.assert(
      fc.property(fleets, windows, (fleet, window) => {
        const { usage } = usageOf(intervalsOf(fleet), window);
        const { peakClusters, clustersAtStart, clustersAtEnd, averageClusters, billableClusters } = usage;
        expect(peakClusters).toBeGreaterThanOrEqual(Math.max(clustersAtStart, clustersAtEnd));
        expect(peakClusters).toBeGreaterThanOrEqual(Number(averageClusters));
        expect(peakClusters).toBeLessThanOrEqual(billableClusters);
      }),
      tried,
    );
  });
});

describe('the seconds of the cluster types', () => {
  test('add up to the seconds of the whole', () => {
    fc.assert(
      fc.property(fc.array(histories, { maxLength: 5 }), instants, instants, (fleet, a, b) => {
        const window = { from: Math.min(a, b), to: Math.max(a, b) };
        const { usage, byType } = usageOf(
          fleet.map((history) => billCluster(history).intervals),
          window,
        );
        const sum = byType.reduce((total, own) => total.add(own), new AmountSum());
        expect(sum.total.clusterSeconds).toBe(usage.clusterSeconds);
      }),
      tried,
    );
  });
});

describe('a transfer', () => {
  test('credits one account exactly what it charges the other', () => {
    const transfers = fc.record({ effectiveAt: instants, accountId: fc.constantFrom('acme', 'globex') });
    fc.assert(
      fc.property(histories, transfers, (history, { effectiveAt, accountId }) => {
        const transfer = known(99, { type: 'ClusterChanged', clusterId: 'c1', effectiveAt, accountId });
        const [before, after] = [history, [...history, transfer]].map(
          (facts) => billCluster(facts).intervals,
        );
        const window = { from: 0, to: LAST + 3 };
        const total = (intervals: typeof before = []) => usageOf([intervals], window).usage.clusterSeconds;
        expect(total(after)).toBe(total(before));
      }),
      tried,
    );
  });
});

describe('the bill as known at a position', () => {
  test('is not changed by later facts', () => {
    fc.assert(
      fc.property(histories, fc.nat({ max: 14 }), (history, cut) => {
        const recorded = history.map(({ fact, order }, i) => ({ ...logged(i + 1, fact), id: idAt(order) }));
        const asOf = Math.min(cut, recorded.length);
        const whole = new LedgerModel();
        for (const event of recorded) whole.apply(event);
        const part = new LedgerModel();
        for (const event of recorded.slice(0, asOf)) part.apply(event);
        if (asOf === 0)
          expect(recorded.length === 0 || whole.billing(0, 0).intervals.length === 0).toBe(true);
        else expect(whole.billing(0, asOf)).toEqual(part.billing(0, asOf));
      }),
      tried,
    );
  });
});

function known(position: number, fact: Fact): KnownFact<Fact> {
  return { eventId: idAt(position), order: position, fact };
}

/** Returns the fact as the event of the log at a position. */
function logged(position: number, fact: Fact): LogEvent {
  const origin = { source: 'test', id: String(position), actor: 'test' };
  const { type, data, metadata } = serializeFact(fact, origin);
  return {
    id: idAt(position),
    type,
    data: data as LogEvent['data'],
    metadata: metadata as LogEvent['metadata'],
    recordedAt: position,
    stream: clusterStream('c1'),
    revision: position - 1,
    position,
  };
}
