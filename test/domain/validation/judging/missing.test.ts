import { describe, expect, test } from 'vitest';
import type { InventoryStatus } from '../../../../src/domain/inventory.ts';
import { formatInstant } from '../../../../src/domain/time.ts';
import { conditionId } from '../../../../src/domain/validation/judging/condition.ts';
import { RunFold } from '../../../../src/domain/validation/records/run-fold.ts';
import {
  alive,
  DAY_MS,
  Fleet,
  HOUR_MS,
  MINUTE_MS,
  REGISTERED,
  START,
  stored,
  typesOf,
  unverifiable,
} from '../fleet.ts';

const TICK = 5 * MINUTE_MS;
const OTHERS = { o1: alive(), o2: alive() };
const GONE = { c1: unverifiable, ...OTHERS };

function fleet(settings: object = { missingFor: '24h' }): Fleet {
  const one = new Fleet(settings, ['c1', 'o1', 'o2']);
  for (const cluster of ['c1', 'o1', 'o2']) one.inventory.set(cluster, 'listed');
  one.run(START, { c1: alive(), ...OTHERS });
  return one;
}

/** Plays runs in which the inventory says something of c1, and gives the last tick. */
function play(one: Fleet, tick: number, ms: number, status: InventoryStatus, seen = GONE): number {
  one.inventory.set('c1', status);
  return one.runs(tick, ms, seen);
}

describe('a cluster that its inventory no longer lists', () => {
  test('is stopped after missingFor, from when it was last listed, and resumes when it is listed again', () => {
    const one = fleet();
    const listed = play(one, START + TICK, HOUR_MS, 'listed');
    play(one, listed + TICK, DAY_MS - TICK, 'gone');
    expect(one.concluded).toEqual([]);
    const { conditions } = one.played.at(-1)?.judgement ?? { conditions: [] };
    expect(conditions.map(conditionId)).toEqual(['unverifiable:c1', 'billed-but-missing:c1']);
    expect(conditions[1]?.data).toMatchObject({
      lastListedAt: formatInstant(listed),
      stopsAt: formatInstant(listed + TICK + DAY_MS),
    });
    const stop = one.run(listed + TICK + DAY_MS, GONE);
    expect(stop.facts.map(({ fact }) => fact)).toEqual([
      expect.objectContaining({
        type: 'BillingStopped',
        cause: 'missing',
        effectiveAt: listed,
        evidence: expect.objectContaining({
          inventory: 'gone',
          lastListedAt: formatInstant(listed),
          count: 289,
          code: 'no-credential',
        }),
      }),
    ]);
    expect(play(one, listed + 2 * TICK + DAY_MS, DAY_MS, 'gone')).toBeGreaterThan(listed);
    expect(one.concluded).toHaveLength(1);
    const back = listed + 3 * DAY_MS;
    one.inventory.set('c1', 'listed');
    expect(one.run(back, GONE).facts.map(({ fact }) => fact)).toEqual([
      expect.objectContaining({ type: 'BillingResumed', cause: 'missing', effectiveAt: back }),
    ]);
  });

  test('is billed on while it answers, and resumes when it answers', () => {
    const one = fleet();
    play(one, START + TICK, 2 * DAY_MS, 'gone', { c1: alive(), ...OTHERS });
    expect(one.concluded).toEqual([]);
    const stopped = play(one, START + 3 * DAY_MS, TICK, 'gone');
    expect(one.concluded.map(({ type }) => type)).toEqual(['BillingStopped']);
    const { facts } = one.run(stopped + TICK, { c1: alive(), ...OTHERS });
    expect(facts[0]?.fact).toMatchObject({ type: 'BillingResumed', cause: 'missing' });
  });

  test('is judged only by inventories that were read whole, through which it is not listed', () => {
    const one = fleet();
    const unread = play(one, START + TICK, 3 * DAY_MS, 'unknown');
    expect(one.concluded).toEqual([]);
    const gone = play(one, unread + TICK, TICK, 'gone');
    const unreadAgain = play(one, gone + TICK, DAY_MS, 'unknown');
    expect(one.concluded).toEqual([]);
    play(one, unreadAgain + TICK, 0, 'gone');
    expect(one.concluded).toMatchObject([{ type: 'BillingStopped', cause: 'missing', effectiveAt: START }]);
  });

  test('is only reported if its host is gone with it, or if it was never listed', () => {
    const hosted = fleet();
    play(hosted, START + TICK, 3 * DAY_MS, 'gone-with-host');
    expect(hosted.concluded).toEqual([]);
    expect(hosted.played.at(-1)?.judgement.conditions.at(-1)).toMatchObject({
      kind: 'billed-but-missing',
      data: { held: 'host' },
    });
    const never = new Fleet({ missingFor: '24h' }, ['c1', 'o1', 'o2']);
    play(never, START, 3 * DAY_MS, 'gone');
    expect(never.concluded).toEqual([]);
    expect(never.played.at(-1)?.judgement.conditions.map(conditionId)).toContain('billed-but-missing:c1');
  });

  test('is not stopped as part of a mass disappearance, until an operator decides', () => {
    const names = Array.from({ length: 20 }, (_, n) => `m${n + 10}`);
    const mass = (count: number) => {
      const one = new Fleet({ missingFor: '24h' }, [...names, 'o1']);
      for (const name of names) one.inventory.set(name, 'listed');
      const seen = { ...Object.fromEntries(names.map((name) => [name, unverifiable])), o1: alive() };
      one.run(START, seen);
      for (const name of names.slice(0, count)) one.inventory.set(name, 'gone');
      one.runs(START + TICK, 26 * HOUR_MS, seen);
      return { one, seen };
    };
    expect(mass(3).one.concluded).toHaveLength(3);
    const { one, seen } = mass(5);
    expect(one.concluded).toEqual([]);
    expect(one.played.at(-1)?.judgement.conditions.map(({ data }) => data['held'])).toContain('mass');
    one.proceedUntil = START + 30 * HOUR_MS;
    expect(typesOf(one.run(START + 27 * HOUR_MS, seen).facts)).toHaveLength(5);
  });

  test('is stopped by default only if the records of Kubefirst have registered it', () => {
    const seen = { c1: unverifiable, c2: unverifiable, ...OTHERS };
    const one = new Fleet({}, ['c1', 'c2', 'o1', 'o2']);
    one.labels.set('c1', { 'kubefirst/records': 'default' });
    for (const cluster of ['c1', 'c2']) one.inventory.set(cluster, 'listed');
    one.run(START, seen);
    for (const cluster of ['c1', 'c2']) one.inventory.set(cluster, 'gone');
    one.runs(START + TICK, 25 * HOUR_MS, seen);
    expect(one.concluded).toMatchObject([{ clusterId: 'c1', cause: 'missing', effectiveAt: START }]);
    const off = new Fleet({ missingFor: 'off' }, ['c1', 'o1', 'o2']);
    off.labels.set('c1', { 'kubefirst/records': 'default' });
    play(off, START, 0, 'listed');
    play(off, START + TICK, 25 * HOUR_MS, 'gone');
    expect(off.concluded).toEqual([]);
  });

  test('is what observe says that enforce would do, and nothing is recorded', () => {
    const one = fleet({ missingFor: '24h', mode: 'observe' });
    play(one, START + TICK, 2 * DAY_MS, 'gone');
    expect(one.concluded).toEqual([]);
    expect(one.played.flatMap(({ judgement }) => judgement.wouldHave)).toMatchObject([
      { fact: { type: 'BillingStopped', cause: 'missing', effectiveAt: Math.max(REGISTERED, START) } },
    ]);
  });

  test('has the same history from the records of the runs as in the judgement, and after a snapshot', () => {
    const one = fleet();
    let tick = START;
    for (const status of [
      'listed',
      'gone',
      'gone',
      'unknown',
      'gone',
      'listed',
      'gone-with-host',
      'gone',
    ] as const) {
      one.inventory.set('c1', status);
      tick += TICK;
      const { histories } = one.run(tick, GONE);
      expect(one.fold.historyOf('c1')).toEqual(histories.get('c1'));
      const restored = RunFold.restore(JSON.parse(JSON.stringify(one.fold.parts)));
      expect(restored.historyOf('c1')).toEqual(histories.get('c1'));
    }
    const replayed = new RunFold();
    for (const { run, records } of one.played)
      for (const { record, recordedAt } of records) replayed.apply(run, stored(record), recordedAt);
    expect(replayed.historyOf('c1')).toEqual(one.fold.historyOf('c1'));
  });
});
