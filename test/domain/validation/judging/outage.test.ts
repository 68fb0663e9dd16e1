import { describe, expect, test } from 'vitest';
import type { Condition } from '../../../../src/domain/validation/judging/condition.ts';
import {
  alive,
  DAY_MS,
  Fleet,
  HOUR_MS,
  MINUTE_MS,
  refused,
  type Seen,
  START,
  unverifiable,
} from '../fleet.ts';

const TICK = 5 * MINUTE_MS;
const names = (count: number) => Array.from({ length: count }, (_, n) => `c${String(n).padStart(2, '0')}`);

/** The first `bad` of `count` clusters are bad, the others alive. */
function seen(count: number, bad: number, as: Seen = refused): Record<string, Seen> {
  return Object.fromEntries(names(count).map((name, n) => [name, n < bad ? as : alive()]));
}

function fleet(count: number, settings: object = {}): Fleet {
  const one = new Fleet(settings, names(count));
  one.run(START, seen(count, 0));
  return one;
}

const outages = (one: Fleet) =>
  one.played.map(({ judgement }) =>
    judgement.conditions.filter(({ kind }: Condition) => kind === 'mass-unreachable').map(({ data }) => data),
  );

describe('too many clusters that turn bad at once', () => {
  test('open the breaker: nothing is concluded while it lasts, and one alert is raised', () => {
    const one = fleet(20);
    const last = one.runs(START + TICK, 2 * DAY_MS, seen(20, 5));
    expect(one.concluded).toEqual([]);
    expect(
      outages(one)
        .slice(1)
        .every((found) => found.length === 1),
    ).toBe(true);
    expect(outages(one).at(-1)).toEqual([
      { why: 'ratio', since: '2026-04-15T12:05:00.000Z', bad: 5, of: 20 },
    ]);
    expect(one.run(last + TICK, seen(20, 3)).conditions).toEqual([]);
  });

  test('have bad verdicts counted only from the end of the outage on', () => {
    const one = fleet(20);
    const last = one.runs(START + TICK, 2 * DAY_MS, seen(20, 20));
    // Two clusters recover slowly, and one of them stays away.
    one.runs(last + TICK, 2 * TICK, seen(20, 2));
    expect(one.concluded).toEqual([]);
    const { facts } = one.run(last + 4 * TICK, seen(20, 1));
    expect(facts.map(({ fact: { type, clusterId } }) => [clusterId, type])).toEqual([
      ['c00', 'ClusterUnreachable'],
    ]);
    one.runs(last + 5 * TICK, DAY_MS - 5 * TICK, seen(20, 1));
    expect(one.concluded).toHaveLength(1);
    const stopped = one.run(last + DAY_MS + TICK, seen(20, 1)).facts.map(({ fact }) => fact);
    expect(stopped).toMatchObject([{ type: 'BillingStopped', clusterId: 'c00', effectiveAt: START + 40 }]);
  });

  test('do not open the breaker if they are less than a fifth, or fewer than five', () => {
    for (const [count, bad] of [
      [26, 5],
      [8, 4],
    ] as const) {
      const one = fleet(count);
      one.runs(START + TICK, 3 * TICK, seen(count, bad));
      expect(one.concluded).toHaveLength(bad);
    }
  });

  test('are as suspicious at exactly a fifth as above it', () => {
    for (const [count, bad] of [
      [40, 8],
      [40, 9],
    ] as const) {
      const one = fleet(count);
      one.runs(START + TICK, 26 * HOUR_MS, seen(count, bad));
      expect(one.concluded).toEqual([]);
      expect(outages(one).at(-1)).toHaveLength(1);
    }
  });

  test('include those that were asked for the first time and do not answer, for an hour', () => {
    const one = new Fleet({ stopNeverSeen: true }, names(40));
    one.run(START, seen(30, 0));
    const down = {
      ...seen(30, 5),
      ...Object.fromEntries(
        names(40)
          .slice(30)
          .map((name) => [name, refused]),
      ),
    };
    one.run(START + TICK, down);
    expect(outages(one).at(-1)).toMatchObject([{ why: 'ratio', bad: 15, of: 40 }]);
    const up = { ...down, ...seen(30, 0) };
    one.runs(START + 2 * TICK, HOUR_MS - 2 * TICK, up);
    expect(outages(one).at(-1)).toMatchObject([{ why: 'ratio', bad: 10, of: 40 }]);
    one.run(START + TICK + HOUR_MS, up);
    expect(outages(one).at(-1)).toEqual([]);
    expect(one.concluded).toEqual([]);
  });

  test('count together if they turn bad within an hour', () => {
    const slowly = fleet(20);
    const hourly = fleet(20);
    for (let n = 1; n <= 5; n++) {
      slowly.run(START + n * 10 * MINUTE_MS, seen(20, n));
      hourly.run(START + n * 61 * MINUTE_MS, seen(20, n));
    }
    expect(slowly.fold.breakerOf('1of1').open).toBe(true);
    expect(hourly.fold.breakerOf('1of1').open).toBe(false);
  });

  test('count in one run, however long ago the previous run was', () => {
    const one = fleet(20);
    one.run(START + 7 * HOUR_MS, seen(20, 5));
    expect(one.fold.breakerOf('1of1').open).toBe(true);
  });

  test('still count when they can no longer be probed', () => {
    const one = fleet(20);
    one.run(START + TICK, seen(20, 5));
    one.runs(START + 2 * TICK, DAY_MS, { ...seen(20, 0), ...seen(5, 5, unverifiable) });
    expect(one.fold.breakerOf('1of1').open).toBe(true);
    one.run(START + 2 * DAY_MS, seen(20, 20, unverifiable));
    expect(one.fold.breakerOf('1of1').open).toBe(true);
  });

  test('are judged while an operator has overridden the breaker', () => {
    const one = fleet(20);
    one.runs(START + TICK, HOUR_MS, seen(20, 5));
    one.proceedUntil = START + 2 * HOUR_MS;
    const { facts, conditions, isWithheld } = one.judge(START + HOUR_MS + 2 * TICK, seen(20, 5));
    expect(facts).toHaveLength(5);
    expect(isWithheld).toBe(false);
    expect(conditions).toHaveLength(1);
    expect(one.judge(START + 2 * HOUR_MS, seen(20, 5)).facts).toEqual([]);
  });

  test('do not prevent ClusterReachable facts', () => {
    const one = fleet(20);
    const last = one.runs(START + TICK, DAY_MS, seen(20, 1));
    expect(one.concluded).toHaveLength(2);
    const { facts, breaker } = one.run(last + TICK, { ...seen(20, 9), c00: alive() });
    expect(breaker.open).toBe(true);
    expect(facts.map(({ fact }) => fact.type)).toEqual(['ClusterReachable', 'BillingResumed']);
  });
});

test('a bad canary opens the breaker until it answers', () => {
  const one = fleet(3, { canaries: ['c00'] });
  one.runs(START + TICK, HOUR_MS, seen(3, 2));
  expect(one.concluded).toEqual([]);
  expect(outages(one).at(-1)).toMatchObject([{ why: 'canary', canaries: 'c00', bad: 2, of: 3 }]);
  const { breaker, conditions } = one.run(START + 2 * HOUR_MS, { ...seen(3, 2), c00: alive() });
  expect(breaker.open).toBe(false);
  expect(conditions).toEqual([]);
  one.runs(START + 2 * HOUR_MS + TICK, 2 * TICK, { ...seen(3, 2), c00: alive() });
  expect(one.concluded.map(({ clusterId }) => clusterId)).toEqual(['c01']);
});

test('all clusters bad at once opens the breaker, even if none was ever seen alive', () => {
  const one = new Fleet({}, names(2));
  const last = one.runs(START, 2 * DAY_MS, seen(2, 2));
  expect(one.concluded).toEqual([]);
  expect(outages(one).at(-1)).toMatchObject([{ why: 'all', bad: 2, of: 2 }]);
  // No cluster can be probed, so nothing shows that the outage is over.
  one.run(last + TICK, seen(2, 2, unverifiable));
  expect(outages(one).at(-1)).toMatchObject([{ why: 'all', bad: 2, of: 2 }]);
});

test('deleted clusters are not part of an outage', () => {
  const one = fleet(12);
  for (const clusterId of names(6))
    one.add({ type: 'ClusterDeleted', clusterId, effectiveAt: START + 1_000 });
  one.runs(START + TICK, HOUR_MS, seen(12, 6));
  expect(outages(one).flat()).toEqual([]);
  expect(one.played.at(-1)?.judgement.verifiedGone).toEqual(names(6));
});
