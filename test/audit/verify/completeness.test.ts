import { beforeAll, describe, expect, test } from 'vitest';
import { checkCompleteness } from '../../../src/audit/verify/completeness.ts';
import { failed } from '../../../src/audit/verify/outcome.ts';
import type { Parsed } from '../../support/evidence.ts';
import { contentsOf, idAt, smallLog } from './small-log.ts';

let good: Parsed;

beforeAll(async () => {
  const log = smallLog();
  good = JSON.parse((await log.evidence(contentsOf(log))).toString('utf8'));
});

const closings = [
  { period: '2026-01', watermark: 4, position: 5, closedAt: '2026-01-01T00:00:00.005Z', rules: 2 },
  { period: '2026-02', watermark: 6, position: 7, closedAt: '2026-01-01T00:00:00.007Z', rules: 2 },
];

function outcome(change: (evidence: Parsed) => void) {
  const file = structuredClone(good);
  change(file.evidence);
  try {
    return checkCompleteness(file);
  } catch (error) {
    return failed(error);
  }
}

describe('the facts of a file', () => {
  test('are complete, with the closings and the beginning of statements', () => {
    expect(outcome(() => undefined)).toEqual({ closings, beginning: { position: 1, period: '2026-01' } });
  });

  test('are complete without a beginning, without closings and without clusters', () => {
    expect(outcome((evidence) => void delete evidence.beginning)).toEqual({ closings, beginning: undefined });
    expect(outcome((evidence) => Object.assign(evidence, { clusters: [], closings: [] }))).toMatchObject({
      closings: [],
    });
  });

  test('may have a cluster that a later change has given to the account', () => {
    expect(
      outcome(({ clusters: [, c2] }) => {
        c2.facts[0].leaf.data.accountId = 'globex';
        Object.assign(c2.facts[1].leaf, { type: 'ClusterChanged', data: { accountId: 'acme' } });
      }),
    ).toMatchObject({ closings });
  });

  test.each<[why: string, change: (evidence: Parsed) => void]>([
    ['cluster c1 does not come after c2', ({ clusters }) => clusters.reverse()],
    ['cluster c1 does not come after c1', ({ clusters }) => clusters.unshift(clusters[0])],
    [
      'the event at position 2 is of cluster-c1, not of cluster c0',
      ({ clusters }) => Object.assign(clusters[0], { clusterId: 'c0' }),
    ],
    [
      'the event at position 6 is of cluster-c2, not of cluster c1',
      ({ clusters: [c1, c2] }) => c1.facts.push(c2.facts.pop()),
    ],
    [
      'cluster c1 goes on with revision 1, at position 8, where 0 is due',
      ({ clusters: [c1] }) => c1.facts.shift(),
    ],
    [
      'cluster c1 goes on with revision 0, at position 2, where 1 is due',
      ({ clusters: [c1] }) => c1.facts.unshift(c1.facts[0]),
    ],
    [
      'revision 1 of cluster c1 stands at position 2, not after the one before it',
      ({ clusters: [c1] }) => Object.assign(c1.facts[1], { index: 1 }),
    ],
    [
      'revision 1 of cluster c1 stands at position 1, not after the one before it',
      ({ clusters: [c1] }) => Object.assign(c1.facts[1], { index: 0 }),
    ],
    ['two events stand at position 2', ({ clusters: [, c2] }) => Object.assign(c2.facts[0], { index: 1 })],
    [
      `two events have the id ${idAt(2)}`,
      ({ clusters: [, c2] }) => Object.assign(c2.facts[0].leaf, { id: idAt(2) }),
    ],
    ['two events stand at position 2', ({ beginning }) => Object.assign(beginning, { index: 1 })],
    [
      `two events have the id ${idAt(8)}`,
      ({ closings: [, last] }) => Object.assign(last.leaf, { id: idAt(8) }),
    ],
    [
      `two events have the id ${idAt(1)}`,
      ({ closings: [, last] }) => Object.assign(last.leaf, { id: idAt(1) }),
    ],
    [
      'no fact gives cluster c1 to account globex',
      (evidence) => Object.assign(evidence, { accountId: 'globex' }),
    ],
    [
      'the event at position 1 is not a beginning of statements',
      ({ beginning }) => Object.assign(beginning.leaf, { type: 'BillingEnded' }),
    ],
    [
      'the event at position 7 is not a closing of a period',
      ({ closings: [, last] }) => Object.assign(last.leaf, { type: 'X' }),
    ],
    [
      'the event at position 7 closes 2026-02 first, but statements begin with 2026-01 (position 1)',
      ({ closings: list }) => list.shift(),
    ],
    [
      'the event at position 5 closes 2026-01, which does not follow on 2026-02',
      (evidence) => {
        delete evidence.beginning;
        evidence.closings.reverse();
      },
    ],
    [
      'the closing of 2026-02 does not stand after that of 2026-01',
      ({ closings: [first] }) => Object.assign(first, { index: 8 }),
    ],
    [
      'the closing of 2026-02 does not stand after that of 2026-01',
      ({ closings: [first] }) => Object.assign(first, { index: 6 }),
    ],
    ['two events stand at position 5', ({ beginning }) => Object.assign(beginning, { index: 4 })],
    [
      'the beginning at position 6 does not stand before the closing of 2026-01',
      ({ beginning, clusters }) => {
        clusters.pop();
        Object.assign(beginning, { index: 5 });
      },
    ],
  ])('are not complete: %s', (why, change) => {
    expect(outcome((evidence) => void change(evidence))).toEqual({ ok: false, check: 'completeness', why });
  });
});
