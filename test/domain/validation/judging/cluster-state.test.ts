import { describe, expect, test } from 'vitest';
import { billCluster } from '../../../../src/domain/billing/billing.ts';
import type { Fact } from '../../../../src/domain/facts/fact.ts';
import { clusterStateOf } from '../../../../src/domain/validation/judging/cluster-state.ts';
import {
  type ClusterState,
  isBilled,
  mayBeBilled,
} from '../../../../src/domain/validation/judging/run-input.ts';

const NOW = 10_000;
const shared = { clusterId: 'c1', accountId: 'acme' };
const registered: Fact = { type: 'ClusterRegistered', ...shared, name: 'c1', effectiveAt: 1_000 };
const stopped = (effectiveAt: number, cause: 'unreachable' | 'missing' | 'manual'): Fact => ({
  type: 'BillingStopped',
  clusterId: 'c1',
  effectiveAt,
  cause,
});
const resumed = (effectiveAt: number, cause: 'unreachable' | 'missing' | 'manual'): Fact => ({
  type: 'BillingResumed',
  clusterId: 'c1',
  effectiveAt,
  cause,
});
const stateAt = (now: number, ...facts: readonly Fact[]) =>
  clusterStateOf(
    billCluster(facts.map((fact, order) => ({ eventId: String(order), order, fact }))),
    false,
    now,
  );
const BILLED: ClusterState = {
  registeredAt: 1_000,
  deletedAt: undefined,
  billable: true,
  unreachable: false,
  stoppedSince: undefined,
  missingSince: undefined,
  isStoppedManually: false,
};

describe('the state of a cluster', () => {
  test('is unknown before its registration is recorded', () => {
    expect(stateAt(NOW)).toBeUndefined();
  });

  test('is billed unless a fact says otherwise', () => {
    expect(stateAt(NOW, registered)).toEqual(BILLED);
    expect(clusterStateOf(billCluster([{ eventId: '0', order: 0, fact: registered }]), true, NOW)).toEqual({
      ...BILLED,
      unreachable: true,
    });
  });

  test('has the instant of its deletion, also in the future', () => {
    const deleted = { type: 'ClusterDeleted', clusterId: 'c1', effectiveAt: 20_000 } as const;
    expect(stateAt(NOW, registered, deleted)).toEqual({ ...BILLED, deletedAt: 20_000 });
  });

  test('is as billable as it is now, or will be at its registration', () => {
    const free = { ...registered, billable: false };
    const changed = { type: 'ClusterChanged', clusterId: 'c1', effectiveAt: 5_000, billable: true } as const;
    expect(stateAt(NOW, free)?.billable).toBe(false);
    expect(stateAt(500, free)?.billable).toBe(false);
    expect(stateAt(4_999, free, changed)?.billable).toBe(false);
    expect(stateAt(5_000, free, changed)?.billable).toBe(true);
  });

  test.each([
    ['unreachable', { stoppedSince: 3_000 }],
    ['missing', { missingSince: 3_000 }],
    ['manual', { isStoppedManually: true }],
  ] as const)('has a stop of its cause until that is resumed: %s', (cause, stop) => {
    const facts = [registered, stopped(3_000, cause), resumed(6_000, cause)];
    expect(stateAt(2_999, ...facts)).toEqual(BILLED);
    expect(stateAt(3_000, ...facts)).toEqual({ ...BILLED, ...stop });
    expect(stateAt(5_999, ...facts)).toEqual({ ...BILLED, ...stop });
    expect(stateAt(6_000, ...facts)).toEqual(BILLED);
  });
});

test.each([
  ['billed', {}, true, true],
  ['free', { billable: false }, false, false],
  ['stopped by an operator', { isStoppedManually: true }, false, false],
  ['stopped as unreachable', { stoppedSince: 1 }, false, true],
  ['stopped as missing', { missingSince: 1 }, false, true],
])('a cluster that is %s is or may be billed', (_, more, isBilledNow, mayBe) => {
  expect([isBilled({ ...BILLED, ...more }), mayBeBilled({ ...BILLED, ...more })]).toEqual([
    isBilledNow,
    mayBe,
  ]);
});
