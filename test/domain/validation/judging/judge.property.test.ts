import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { billCluster } from '../../../../src/domain/billing/billing.ts';
import type { Fact } from '../../../../src/domain/facts/fact.ts';
import { RunFold } from '../../../../src/domain/validation/records/run-fold.ts';
import {
  alive,
  Fleet,
  HOUR_MS,
  MINUTE_MS,
  refused,
  type Seen,
  START,
  stored,
  timeout,
  unverifiable,
} from '../fleet.ts';

/** Few clusters, short thresholds and frequent changes, so that every case occurs within a few dozen runs. */

const TICK = 5 * MINUTE_MS;
const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;

const verdicts: fc.Arbitrary<Seen> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(alive(), alive('u1'), { ...alive('u1'), after: 1_500 }) },
  { weight: 5, arbitrary: fc.constantFrom(refused, timeout, { ...refused, after: 900 }) },
  { weight: 1, arbitrary: fc.constantFrom(unverifiable, alive('u2')) },
);
/** Verdicts of one cluster in consecutive runs. */
const stretches = fc.array(fc.tuple(verdicts, fc.integer({ min: 1, max: 8 })), {
  minLength: 1,
  maxLength: 8,
});

interface Story {
  readonly settings: object;
  readonly seen: readonly Readonly<Record<string, Seen>>[];
}

const RUNS = 36;

const settings = fc.record({
  version: fc.constant('v1'),
  unreachableAfter: fc.integer({ min: 1, max: 4 }),
  unreachableFor: fc.constantFrom('0m', '5m', '15m'),
  stopAfter: fc.constantFrom('0m', '15m', '40m'),
  stopEffective: fc.constantFrom('last-alive', 'first-unreachable', 'decision'),
  reachableAfter: fc.integer({ min: 1, max: 3 }),
  flapLimit: fc.integer({ min: 2, max: 8 }),
  outageMinClusters: fc.constantFrom(3, 5),
  outageRatio: fc.constantFrom('0.2', '0.5'),
});

const stories: fc.Arbitrary<Story> = fc
  .record({ settings, clusters: fc.array(stretches, { minLength: 1, maxLength: IDS.length }) })
  .map(({ settings, clusters }) => {
    const rows = clusters.map((row) => row.flatMap(([verdict, runs]) => Array<Seen>(runs).fill(verdict)));
    const seen = Array.from({ length: RUNS }, (_, n) => {
      // Clusters that never fail, so that not all are bad.
      const own = rows.map((row, i) => [IDS[i], row[n % row.length]] as const);
      return Object.fromEntries([...own, ['up1', alive()], ['up2', alive()], ['up3', alive()]]);
    });
    return { settings, seen };
  });

function play({ settings, seen }: Story, mode = 'enforce', prepare = (_: Fleet) => {}): Fleet {
  const fleet = new Fleet({ ...settings, mode }, Object.keys(seen[0] ?? {}));
  prepare(fleet);
  for (const [n, each] of seen.entries()) fleet.run(START + n * TICK, each);
  return fleet;
}

const holds = (property: (story: Story) => void) =>
  fc.assert(fc.property(stories, property), { numRuns: 100 });
const ofCluster = (fleet: Fleet, clusterId: string, types: RegExp) =>
  fleet.concluded.filter((fact) => fact.clusterId === clusterId && types.test(fact.type));

describe('whatever is seen', () => {
  test('observe says it would have done exactly what enforce did', () =>
    holds((story) => {
      const [observed, enforced] = [play(story, 'observe'), play(story)];
      expect(observed.concluded).toEqual([]);
      const would = observed.played.map(({ judgement }) => judgement.wouldHave);
      expect(would).toEqual(enforced.played.map(({ judgement }) => judgement.facts));
      expect(enforced.played.flatMap(({ judgement }) => judgement.wouldHave)).toEqual([]);
    }));

  test('notify says what is reachable or not as enforce does, and touches no billing', () =>
    holds((story) => {
      const [notified, enforced] = [play(story, 'notify'), play(story)];
      const isSaid = ({ type }: Fact) => type === 'ClusterUnreachable' || type === 'ClusterReachable';
      expect(notified.concluded).toEqual(enforced.concluded.filter(isSaid));
    }));

  test('stops and resumptions alternate, beginning with a stop, each with the cause that it ends', () =>
    holds((story) => {
      const fleet = play(story);
      for (const clusterId of fleet.facts.keys()) {
        for (const types of [/^Billing/, /able$/]) {
          const said = ofCluster(fleet, clusterId, types).map(({ type }) => type);
          const isBeginning = said.map((type) => /Stopped|Unreachable/.test(type));
          expect(isBeginning).toEqual(isBeginning.map((_, i) => i % 2 === 0));
        }
      }
    }));

  test('a stop is effective between registration and decision, and a resumption ends it', () =>
    holds((story) => {
      const fleet = play(story, 'enforce', (one) => one.register('a', START + 2 * TICK));
      for (const { judgement, tick } of fleet.played) {
        for (const { fact } of judgement.facts) {
          expect(fact.effectiveAt).toBeLessThanOrEqual(tick + 2_000);
          if (fact.type !== 'BillingStopped') continue;
          const { registeredAt } = fleet.stateOf(fact.clusterId, tick);
          expect(fact.effectiveAt).toBeGreaterThanOrEqual(registeredAt);
        }
      }
      for (const [clusterId, facts] of fleet.facts) {
        const last = ofCluster(fleet, clusterId, /^Billing/).at(-1);
        if (last?.type !== 'BillingResumed') continue;
        expect(billCluster(facts).intervals.at(-1)?.to ?? null).toBeNull();
      }
    }));

  test('a stop by an operator is never undone', () =>
    holds((story) => {
      const fleet = play(story, 'enforce', (one) => {
        for (const clusterId of IDS)
          one.add({ type: 'BillingStopped', clusterId, effectiveAt: START - HOUR_MS, cause: 'manual' });
      });
      for (const clusterId of IDS) {
        const { intervals } = billCluster(fleet.facts.get(clusterId) ?? []);
        expect(intervals.every(({ to }) => to !== null && to <= START - HOUR_MS)).toBe(true);
      }
    }));

  test('nothing is concluded below the thresholds', () =>
    holds(({ settings, seen }) => {
      // Never more than three in a row are bad, and never for long.
      const short = seen.map((each, n) =>
        n % 4 === 3 ? Object.fromEntries(Object.keys(each).map((id) => [id, alive()])) : each,
      );
      const { concluded } = play({ settings: { ...settings, unreachableAfter: 4 }, seen: short });
      expect(concluded).toEqual([]);
    }));

  test('if all clusters are bad at once, nothing is concluded and one alert is raised', () =>
    holds(({ settings, seen }) => {
      const story = {
        settings,
        seen: seen.map((each, n) =>
          n === 0 ? each : Object.fromEntries(Object.keys(each).map((id) => [id, refused])),
        ),
      };
      const fleet = play({ ...story, settings: { ...settings, unreachableAfter: 2 } });
      expect(fleet.concluded).toEqual([]);
      for (const { judgement } of fleet.played.slice(1))
        expect(judgement.conditions.filter(({ kind }) => kind === 'mass-unreachable')).toHaveLength(1);
    }));

  test('the order of the clusters has no effect', () =>
    holds((story) => {
      const reversed = story.seen.map((each) => Object.fromEntries(Object.entries(each).reverse()));
      const [one, other] = [play(story), play({ ...story, seen: reversed })];
      expect(other.played).toEqual(one.played);
    }));

  test('judging recorded verdicts again gives the same facts with the same ids', () =>
    holds((story) => {
      const first = play(story);
      const fold = new RunFold();
      const again = new Fleet({ ...story.settings, mode: 'enforce' }, [...first.facts.keys()]);
      for (const { run, tick, records, judgement } of first.played) {
        for (const { record, recordedAt } of records) fold.apply(run, stored(record), recordedAt);
        const recorded = Array.from(fold.verdictsOf('1of1'), ([id, { at, ...verdict }]) => [
          id,
          { ...verdict, after: at - tick },
        ]);
        expect(again.run(tick, Object.fromEntries(recorded)).facts).toEqual(judgement.facts);
      }
    }));
});
