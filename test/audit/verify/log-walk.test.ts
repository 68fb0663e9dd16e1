import { describe, expect, test } from 'vitest';
import { leafHash } from '../../../src/audit/leaf.ts';
import type { Leaf } from '../../../src/audit/verify/billing-fact.ts';
import { type Expectation, LogWalk, type WalkOptions } from '../../../src/audit/verify/log-walk.ts';
import { failed } from '../../../src/audit/verify/outcome.ts';
import type { Parsed } from '../../support/evidence.ts';
import { idAt, smallLog } from './small-log.ts';

const log = smallLog();
const good = log.events.map((_, index) => log.leaf(index));
const hashOf = (n: number) => leafHash(`leaf ${n}`);

/** Walks through leaves. The hashes are those of their places, unless a root is expected. */
function walk(leaves: readonly Leaf[], options: Partial<WalkOptions> = {}) {
  const walked = new LogWalk({ expected: [], statements: true, ...options });
  for (const [index, leaf] of leaves.entries()) walked.add(leaf, hashOf(index));
  walked.end();
  return walked;
}

function outcome(leaves: readonly Leaf[], options: Partial<WalkOptions> = {}) {
  try {
    walk(leaves, options);
    return undefined;
  } catch (error) {
    return failed(error);
  }
}

/** The log with a change of one leaf. */
function changed(position: number, change: (leaf: Parsed) => void): Leaf[] {
  const leaves = structuredClone(good);
  change(leaves[position - 1]);
  return leaves;
}

describe('a walk through a log', () => {
  test('counts its events, its streams and its closings', () => {
    const { size, streams, closings } = walk(good);
    expect({ size, streams }).toEqual({ size: 8, streams: 6 });
    expect(closings.map(({ period, position }) => [period, position])).toEqual([
      ['2026-01', 5],
      ['2026-02', 7],
    ]);
  });

  test('looks at each event with its index', () => {
    const seen: [number, string][] = [];
    walk(good.slice(0, 3), { look: (index, { stream }) => void seen.push([index, stream]) });
    expect(seen).toEqual([
      [0, 'billing'],
      [1, 'cluster-c1'],
      [2, 'cluster-c2'],
    ]);
  });

  test('has no statements to compare if none are wanted', () => {
    const leaves = changed(5, ({ data }) => Object.assign(data, { accounts: 9, rules: 7 }));
    leaves[5] = { ...(leaves[5] as Leaf), type: 'ClusterExploded' };
    expect(outcome(leaves, { statements: false })).toBeUndefined();
  });

  test('passes over streams that are neither of a cluster, nor of a period, nor the beginning', () => {
    const other = { ...(good[0] as Leaf), stream: 'settings', id: idAt(99), type: 'X' };
    expect(outcome([...good, other])).toBeUndefined();
  });

  test('may meet a later beginning, which decides nothing, whatever it is', () => {
    const later = (id: number, revision: number) => ({
      ...(good[0] as Leaf),
      id: idAt(id),
      revision,
      type: 'X',
    });
    expect(outcome([...good, later(99, 1)])).toBeUndefined();
    expect(outcome([...good.slice(0, 1), later(99, 1), ...good.slice(1, 4)])).toBeUndefined();
    const [, c1, , g1] = good as [Leaf, Leaf, Leaf, Leaf];
    const empty = changed(5, ({ data }) => Object.assign(data, { watermark: '0' }))[4] as Leaf;
    expect(outcome([c1, empty, g1, later(99, 0)], { statements: false })).toBeUndefined();
  });
});

describe('a walk through a log ends', () => {
  test.each<[why: string, check: string, leaves: Leaf[]]>([
    [
      'cluster-c1 goes on with revision 2, at position 8, where 1 is due',
      'completeness',
      changed(8, (leaf) => Object.assign(leaf, { revision: 2 })),
    ],
    [
      'billing goes on with revision 1, at position 1, where 0 is due',
      'completeness',
      changed(1, (leaf) => Object.assign(leaf, { revision: 1 })),
    ],
    [
      'cluster-c1 goes on with revision 0, at position 8, where 1 is due',
      'completeness',
      changed(8, (leaf) => Object.assign(leaf, { revision: 0 })),
    ],
    [
      `the event at position 8 has an id that stood before: ${idAt(1)}`,
      'completeness',
      changed(8, (leaf) => Object.assign(leaf, { id: idAt(1) })),
    ],
    [
      'the event at position 1 is not a beginning of statements',
      'statement',
      changed(1, (leaf) => Object.assign(leaf, { type: 'BillingEnded' })),
    ],
    [
      'the event at position 5 closes 2026-01 first, but statements begin with 2026-03 (position 1)',
      'completeness',
      changed(1, ({ data }) => Object.assign(data, { period: '2026-03' })),
    ],
    [
      'the event at position 7 closes 2026-02 at watermark "3", which is not between those before and its own position',
      'completeness',
      changed(7, ({ data }) => Object.assign(data, { watermark: '3' })),
    ],
    [
      'the closing at position 7 cannot be compared: 2026-02 was closed by rules version 1: rules version 1 is not known to this verifier, which knows version 2',
      'statement',
      changed(7, ({ data }) => void delete data.rules),
    ],
    [
      'the closing at position 5 is not that of its facts: 2026-01.accounts is 3; by the facts it is 2',
      'statement',
      changed(5, ({ data }) => Object.assign(data, { accounts: 3 })),
    ],
    [
      'the closing at position 7 is not that of its facts: 2026-02.totals.billableClusters is 3; by the facts it is 2',
      'statement',
      changed(7, ({ data: { totals } }) => Object.assign(totals, { billableClusters: 3 })),
    ],
    [
      'the closing at position 7 is not that of its facts: 2026-02.totals.clusterSeconds is "1.000"; by the facts it is "3888000.000"',
      'statement',
      changed(7, ({ data: { totals } }) => Object.assign(totals, { clusterSeconds: '1.000' })),
    ],
    [
      'the closing at position 7 is not that of its facts: 2026-02.statementsDigest is "x"; by the facts it is "9079c21bf3efdf996c1e941cfecc7cbf1bf6b43e91cb98f8cf5c9a87285b8c23"',
      'statement',
      changed(7, ({ data }) => Object.assign(data, { statementsDigest: 'x' })),
    ],
    [
      'the event at position 6 cannot be accounted for: it has no readable effectiveAt',
      'statement',
      changed(6, ({ data }) => void delete data.effectiveAt),
    ],
    [
      'the event at position 6 cannot be accounted for: it names another cluster than its stream',
      'statement',
      changed(6, ({ data }) => Object.assign(data, { clusterId: 'c1' })),
    ],
  ])('at an event, as %s', (why, check, leaves) => {
    expect(outcome(leaves)).toEqual({ ok: false, check, why });
  });

  test('as the look at an event ends', () => {
    const look = () => {
      throw new Error('not foreseen');
    };
    expect(() => walk(good, { look })).toThrow('not foreseen');
  });
});

describe('the roots that are expected', () => {
  const rootAt = (size: number) => walk(good.slice(0, size), { statements: false }).root;
  const at = (size: number, by = `the checkpoint of ${size}`, root = rootAt(size)): Expectation => ({
    by,
    size,
    root,
  });
  const other = new Uint8Array(32);

  test('may be of the beginning, of the end, several of one size, and in any order', () => {
    expect(outcome(good, { expected: [at(8), at(0), at(3), at(3, 'another'), at(1)] })).toBeUndefined();
    expect(outcome([], { expected: [at(0)] })).toBeUndefined();
    expect(outcome(good, { expected: [at(7)] })).toBeUndefined();
  });

  const changedOf = (size: number, by: string) => ({
    ok: false,
    check: 'consistency',
    why: `the first ${size} events are not those of ${by}: something among them was changed`,
  });

  test('must be those of the log', () => {
    expect(outcome(good, { expected: [at(8), at(3, 'the note', other)] })).toEqual(changedOf(3, 'the note'));
    expect(outcome(good, { expected: [at(0, 'nobody', other)] })).toEqual(changedOf(0, 'nobody'));
    expect(outcome(good, { expected: [at(8, 'the last', other)] })).toEqual(changedOf(8, 'the last'));
    expect(outcome(good, { expected: [at(3), at(3, 'another', other)] })).toEqual(changedOf(3, 'another'));
  });

  test('are compared before anything else is said of an event', () => {
    const gap = changed(3, (leaf) => Object.assign(leaf, { revision: 5 }));
    expect(outcome(gap, { expected: [at(3, 'the note', other)] })).toEqual(changedOf(3, 'the note'));
  });

  test('must all be reached', () => {
    expect(outcome(good.slice(0, 5), { expected: [at(8, 'the note'), at(5)] })).toEqual({
      ok: false,
      check: 'consistency',
      why: 'the log has 5 events, fewer than the 8 of the note: it was cut off',
    });
    expect(outcome(good.slice(0, 5), { expected: [at(8, 'the note'), at(7, 'the other')] })).toEqual({
      ok: false,
      check: 'consistency',
      why: 'the log has 5 events, fewer than the 7 of the other: it was cut off',
    });
  });
});

test('a closing of nobody has the totals and the digest of no statements', () => {
  const [begun, , , , closing] = good as [Leaf, Leaf, Leaf, Leaf, Leaf];
  const data = {
    period: '2026-01',
    watermark: '1',
    rules: 2,
    accounts: 0,
    totals: { billableClusters: 0, clusterSeconds: '0.000' },
    // SHA-256 of `[]`.
    statementsDigest: '4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945',
  };
  expect(outcome([begun, { ...closing, data }])).toBeUndefined();
});
