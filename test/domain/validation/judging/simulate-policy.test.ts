import fc from 'fast-check';
import { expect, test } from 'vitest';
import { longestWait } from '../../../../src/domain/validation/judging/policy.ts';
import {
  type PastCluster,
  PolicySimulation,
  pastRunOf,
} from '../../../../src/domain/validation/judging/simulate-policy.ts';
import { RunFold } from '../../../../src/domain/validation/records/run-fold.ts';
import {
  alive,
  DAY_MS,
  Fleet,
  HOUR_MS,
  MINUTE_MS,
  policies,
  refused,
  type Seen,
  START,
  stored,
  timeout,
  unverifiable,
} from '../fleet.ts';

const TICK = 5 * MINUTE_MS;
const UP = { o1: alive(), o2: alive(), o3: alive() };
const IDS = ['a', 'b', 'o1', 'o2', 'o3'];
const window = { from: START, to: START + 4 * DAY_MS };

/** The runs of a fleet, simulated with other policies. */
function whatIf(fleet: Fleet, settings: object) {
  const own = new Set(fleet.concluded.map((fact) => fact));
  const clusters: PastCluster[] = Array.from(fleet.facts, ([clusterId, facts]) => ({
    clusterId,
    facts: facts.map((known) => ({ ...known, recordedAt: 0, isOwn: own.has(known.fact) })),
  }));
  const replay = new PolicySimulation(policies(settings), clusters);
  const fold = new RunFold();
  for (const { run, records } of fleet.played)
    for (const { record, recordedAt } of records)
      for (const end of fold.apply(run, stored(record), recordedAt))
        if (end.outcome === 'completed') replay.play(pastRunOf(fold, end));
  return replay.result(window, window.to);
}

/** A day and more in which `a` does not answer, judged by the policy given. */
function story(settings: object): Fleet {
  const fleet = new Fleet(settings, IDS);
  fleet.run(START, { a: alive(), b: alive(), ...UP });
  const last = fleet.runs(START + TICK, DAY_MS + HOUR_MS, { a: refused, b: alive(), ...UP });
  fleet.runs(last + TICK, HOUR_MS, { a: alive(), b: alive(), ...UP });
  return fleet;
}

test('simulating an observed policy shows the stops and the bill that it would have caused', () => {
  const [account, ...others] = whatIf(story({ mode: 'observe' }), { mode: 'observe', version: 'v1' });
  expect(others).toEqual([]);
  const recovered = START + TICK + DAY_MS + HOUR_MS + TICK + 40;
  expect(account?.stops).toEqual([{ clusterId: 'a', policy: 'default@v1', from: START + 40, to: recovered }]);
  expect(account?.accountId).toBe('acme');
  const seconds = (recovered - START - 40) / 1_000;
  expect(account?.delta).toEqual({ billableClusters: 0, clusterSeconds: `-${seconds.toFixed(3)}` });
  expect(account?.before.billableClusters).toBe(5);
});

test('simulating a more patient policy revokes stops of the real one', () => {
  const enforced = story({ stopAfter: '2h' });
  const [account] = whatIf(enforced, { stopAfter: '3d' });
  expect(account?.stops).toEqual([]);
  expect(account?.after.clusterSeconds).toBe(String(`${(5 * 4 * DAY_MS) / 1_000}.000`));
});

test('exceptions apply to the accounts that they name', () => {
  const fleet = new Fleet({ mode: 'observe' }, IDS);
  fleet.register('g1', START - DAY_MS, 'globex');
  fleet.run(START, { a: alive(), g1: alive(), ...UP });
  fleet.runs(START + TICK, 3 * HOUR_MS, { a: refused, g1: refused, ...UP });
  const found = whatIf(fleet, {
    policies: [{ name: 'quick', match: { accounts: ['globex'] }, stopAfter: '1h' }],
  });
  expect(found.map(({ accountId, stops }) => [accountId, stops.length])).toEqual([['globex', 1]]);
  expect(found[0]?.stops[0]?.policy).toMatch(/^quick@[0-9a-f]{16}$/);
});

test('confirmation by inventory stops only clusters that the runs found missing', () => {
  const play = (opinion: 'gone' | 'listed') => {
    const fleet = new Fleet({ mode: 'observe' }, IDS);
    fleet.inventory.set('a', opinion);
    fleet.run(START, { a: alive(), b: alive(), ...UP });
    fleet.runs(START + TICK, DAY_MS, { a: refused, b: alive(), ...UP });
    return whatIf(fleet, { confirmWith: 'inventory' });
  };
  expect(play('gone')).toHaveLength(1);
  expect(play('listed')).toEqual([]);
});

test('simulating missingFor shows the stops of clusters that no inventory lists, until they are listed again', () => {
  const fleet = new Fleet({ mode: 'observe', missingFor: 'off' }, IDS);
  for (const id of IDS) fleet.inventory.set(id, 'listed');
  fleet.run(START, { a: alive(), b: alive(), ...UP });
  fleet.inventory.set('a', 'gone');
  const seen = { a: unverifiable, b: alive(), ...UP };
  const last = fleet.runs(START + TICK, 2 * DAY_MS, seen);
  fleet.inventory.set('a', 'listed');
  fleet.run(last + TICK, seen);
  expect(whatIf(fleet, { missingFor: 'off' })).toEqual([]);
  expect(whatIf(fleet, { missingFor: '3d' })).toEqual([]);
  const [account] = whatIf(fleet, { missingFor: '36h', version: 'v1' });
  expect(account?.stops).toEqual([{ clusterId: 'a', policy: 'default@v1', from: START, to: last + TICK }]);
});

test('runs are simulated from the longest wait of any policy on', () => {
  expect(longestWait(policies({ stopAfter: '2h', unreachableFor: '15m' }))).toBe(DAY_MS);
  expect(longestWait(policies({ stopAfter: '2d', unreachableFor: '15m' }))).toBe(2 * DAY_MS + 15 * MINUTE_MS);
  const exception = { name: 'slow', match: { accounts: ['globex'] }, missingFor: '10d' };
  expect(longestWait(policies({ policies: [exception] }))).toBe(10 * DAY_MS);
});

const rows = fc.array(
  fc.tuple(fc.constantFrom<Seen>(alive(), refused, timeout), fc.integer({ min: 1, max: 9 })),
  { minLength: 1, maxLength: 6 },
);

test('simulating the real policy gives the real bill', () =>
  fc.assert(
    fc.property(rows, rows, fc.constantFrom('10m', '30m'), (a, b, stopAfter) => {
      const settings = { unreachableAfter: 2, unreachableFor: '5m', stopAfter };
      const fleet = new Fleet(settings, IDS);
      const [seenA, seenB] = [a, b].map((row) => row.flatMap(([seen, runs]) => Array<Seen>(runs).fill(seen)));
      for (let n = 0; n < 40; n++) {
        const seen = { a: seenA?.[n % seenA.length] ?? alive(), b: seenB?.[n % seenB.length] ?? alive() };
        fleet.run(START + n * TICK, { ...seen, ...UP });
      }
      for (const { before, after } of whatIf(fleet, settings)) expect(after).toEqual(before);
    }),
    { numRuns: 100 },
  ));
