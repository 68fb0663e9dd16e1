import { describe, expect, test } from 'vitest';
import type { Fact } from '../../../../src/domain/facts/fact.ts';
import {
  type PastCluster,
  type PastFact,
  type PastRun,
  PolicySimulation,
  pastRunOf,
} from '../../../../src/domain/validation/judging/simulate-policy.ts';
import type { Verdict } from '../../../../src/domain/validation/judging/verdict.ts';
import { type RunEnd, RunFold } from '../../../../src/domain/validation/records/run-fold.ts';
import type { DataOf } from '../../../../src/domain/validation/records/run-record.ts';
import { policies } from '../fleet.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.parse('2026-04-15T00:00:00.000Z');
const WINDOW = { from: START, to: START + 10 * HOUR };
/** Stops a cluster that has been bad for an hour, from when it was last seen alive. */
const QUICK = {
  version: '1',
  unreachableAfter: 1,
  unreachableFor: '0m',
  stopAfter: '1h',
  outageRatio: '1',
  reachableAfter: 1,
};
type Seen = 'up' | 'down';

const fact = (one: Fact, order: number, more: Partial<PastFact> = {}): PastFact => ({
  eventId: `e${order}`,
  order,
  fact: one,
  recordedAt: START - HOUR,
  isOwn: false,
  ...more,
});
const registration = (clusterId: string, accountId = 'acme', labels?: Record<string, string>): Fact => ({
  type: 'ClusterRegistered',
  clusterId,
  effectiveAt: START - HOUR,
  accountId,
  name: clusterId,
  ...(labels && { labels }),
});
const registered = (clusterId: string, accountId = 'acme', labels?: Record<string, string>): PastCluster => ({
  clusterId,
  facts: [fact(registration(clusterId, accountId, labels), 1)],
});
const stop = (
  clusterId: string,
  effectiveAt: number,
  cause: 'unreachable' | 'manual' = 'unreachable',
): Fact => ({
  type: 'BillingStopped',
  clusterId,
  effectiveAt,
  cause,
});
const verdict = (seen: Seen, at: number): Verdict =>
  seen === 'up' ? { state: 'alive', code: 'ok', at } : { state: 'unreachable', code: 'refused', at };

/** A run some hours after the start. */
const run = (hours: number, seen: Readonly<Record<string, Seen>>, more: Partial<PastRun> = {}): PastRun => {
  const tick = START + hours * HOUR;
  return {
    run: `run-${hours}`,
    shard: '1of1',
    tick,
    decidedAt: tick + 1_000,
    verdicts: Object.entries(seen).map(([clusterId, one]) => [clusterId, verdict(one, tick)] as const),
    inventoryOf: () => 'unknown',
    isOverridden: false,
    ...more,
  };
};
const simulate = (
  clusters: readonly PastCluster[],
  runs: readonly PastRun[],
  settings: object = {},
  through = WINDOW.to,
) => {
  const simulation = new PolicySimulation(policies({ ...QUICK, ...settings }), clusters);
  for (const one of runs) simulation.play(one);
  return simulation.result(WINDOW, through);
};
const stops = (...args: Parameters<typeof simulate>) =>
  simulate(...args).flatMap((account) => account.stops.map(({ from, to }) => [account.accountId, from, to]));
/** Clusters that stay up, so that one that goes down is not an outage. */
const OTHERS = [registered('o1'), registered('o2')];
const up = (hours: number, c1: Seen) => run(hours, { c1, o1: 'up', o2: 'up' });
const GONE = [up(0, 'up'), up(1, 'down'), up(2, 'down')];

describe('a simulation', () => {
  test('shows a stop with its policy, and the usage before and after', () => {
    expect(simulate([registered('c1'), ...OTHERS], [...GONE, up(4, 'up')])).toEqual([
      {
        accountId: 'acme',
        before: {
          billableClusters: 3,
          clusterSeconds: '108000.000',
          averageClusters: '3.000000',
          peakClusters: 3,
          clustersAtStart: 3,
          clustersAtEnd: 3,
        },
        after: {
          billableClusters: 3,
          clusterSeconds: '93600.000',
          averageClusters: '2.600000',
          peakClusters: 3,
          clustersAtStart: 2,
          clustersAtEnd: 3,
        },
        delta: { billableClusters: 0, clusterSeconds: '-14400.000' },
        stops: [{ clusterId: 'c1', policy: 'default@1', from: START, to: START + 4 * HOUR }],
      },
    ]);
  });

  test('shows a stop that goes on, up to the instant that is asked about', () => {
    const [account] = simulate([registered('c1'), ...OTHERS], GONE, {}, START + 5 * HOUR);
    expect(account?.stops).toEqual([{ clusterId: 'c1', policy: 'default@1', from: START, to: null }]);
    expect(account?.before.clusterSeconds).toBe('54000.000');
    expect(account?.after.clusterSeconds).toBe('36000.000');
  });

  test('shows each stop of a cluster that goes and comes back', () => {
    const later = [up(4, 'up'), up(5, 'down'), up(6, 'down'), up(7, 'up')];
    expect(stops([registered('c1'), ...OTHERS], [...GONE, ...later])).toEqual([
      ['acme', START, START + 4 * HOUR],
      ['acme', START + 4 * HOUR, START + 7 * HOUR],
    ]);
  });

  test('shows nothing if no bill would differ', () => {
    expect(simulate([registered('c1'), ...OTHERS], [up(0, 'up'), up(1, 'down')])).toEqual([]);
    expect(simulate([registered('c1'), ...OTHERS], [])).toEqual([]);
    expect(simulate([registered('c1'), ...OTHERS], GONE, { stopAfter: '3h' })).toEqual([]);
  });

  test('shows accounts in order, each with its own clusters', () => {
    const clusters = [
      registered('c1', 'mike'),
      registered('c2', 'acme'),
      registered('c3', 'zeta'),
      registered('o1', 'acme'),
      registered('o2', 'calm'),
    ];
    const runs = [0, 1, 2].map((hours) => {
      const seen = hours === 0 ? 'up' : 'down';
      return run(hours, { c1: seen, c2: seen, c3: seen, o1: 'up', o2: 'up' });
    });
    const found = simulate(clusters, runs);
    expect(found.map(({ accountId, before }) => [accountId, before.billableClusters])).toEqual([
      ['acme', 2],
      ['mike', 1],
      ['zeta', 1],
    ]);
    expect(found.map((account) => account.stops.map(({ clusterId }) => clusterId))).toEqual([
      ['c2'],
      ['c1'],
      ['c3'],
    ]);
  });

  test('enforces policies that only observe, also exceptions', () => {
    const clusters = [registered('c1'), ...OTHERS];
    expect(stops(clusters, GONE, { mode: 'observe' })).toHaveLength(1);
    const exception = { name: 'gold', match: { labels: { tier: 'gold' } }, mode: 'notify', stopAfter: '30m' };
    const gold = [registered('c1', 'acme', { tier: 'gold' }), ...OTHERS];
    const [account] = simulate(gold, GONE, { stopAfter: '9h', policies: [{ ...exception, version: '7' }] });
    expect(account?.stops.map(({ policy }) => policy)).toEqual(['gold@7']);
    expect(simulate(clusters, GONE, { stopAfter: '9h', policies: [exception] })).toEqual([]);
  });

  test('leaves out the facts of the validator, and keeps the others', () => {
    const own = fact(stop('c1', START + HOUR), 2, { isOwn: true, recordedAt: START });
    const [account] = simulate([{ clusterId: 'c1', facts: [...registered('c1').facts, own] }], []);
    expect(account).toMatchObject({
      before: { clusterSeconds: '3600.000' },
      after: { clusterSeconds: '36000.000' },
      stops: [],
    });
    const stopped = [{ clusterId: 'c1', facts: [...registered('c1').facts, own] }, ...OTHERS];
    expect(stops(stopped, GONE)).toEqual([['acme', START, null]]);
    const operator = fact(stop('c1', START + HOUR, 'manual'), 2, { recordedAt: START });
    expect(simulate([{ clusterId: 'c1', facts: [...registered('c1').facts, operator] }], [])).toEqual([]);
  });

  test('judges each run by the facts that were recorded by then', () => {
    const free = (recordedAt: number) => {
      const changed = {
        type: 'ClusterChanged',
        clusterId: 'c1',
        effectiveAt: START,
        billable: false,
      } as const;
      return { clusterId: 'c1', facts: [...registered('c1').facts, fact(changed, 2, { recordedAt })] };
    };
    const decided = START + 2 * HOUR + 1_000;
    const runs = [...GONE, up(3, 'down')];
    expect(stops([free(decided), ...OTHERS], runs)).toEqual([]);
    expect(stops([free(decided + 1), ...OTHERS], runs)).toEqual([['acme', START, null]]);
  });

  test('judges by a fact that is recorded between two runs', () => {
    const changed = { type: 'ClusterChanged', clusterId: 'c1', effectiveAt: START } as const;
    const c1 = (more: object) => {
      const known = fact({ ...changed, ...more }, 2, { recordedAt: START + HOUR / 2 });
      return { clusterId: 'c1', facts: [...registered('c1').facts, known] };
    };
    const runs = [up(0, 'up'), up(1, 'down')];
    expect(stops([c1({}), ...OTHERS], runs, { stopAfter: '0m' })).toEqual([['acme', START, null]]);
    expect(stops([c1({ billable: false }), ...OTHERS], runs, { stopAfter: '0m' })).toEqual([]);
    const exception = { name: 'gold', match: { labels: { tier: 'gold' } }, stopAfter: '9h' };
    const settings = { stopAfter: '0m', policies: [exception] };
    expect(stops([c1({ labels: { tier: 'gold' } }), ...OTHERS], runs, settings)).toEqual([]);
  });

  test('withholds facts if many clusters turn bad at once', () => {
    const clusters = [registered('c1'), registered('c2'), ...OTHERS];
    const many = (hours: number, seen: Seen) => run(hours, { c1: seen, c2: seen, o1: 'up', o2: 'up' });
    const runs = [many(0, 'down'), many(1, 'up'), many(2, 'down'), many(3, 'down')];
    const breaker = { outageRatio: '0.2', outageMinClusters: 2 };
    expect(stops(clusters, runs)).toHaveLength(2);
    expect(stops(clusters, runs, breaker)).toEqual([]);
    const first = [many(0, 'down'), many(0.5, 'down'), many(0.9, 'down')];
    const never = { stopNeverSeen: true, stopAfter: '30m' };
    expect(stops(clusters, first, never)).toHaveLength(2);
    expect(stops(clusters, first, { ...never, ...breaker })).toEqual([]);
  });

  test('leaves out clusters that are unknown, or that were not registered yet', () => {
    const late = { clusterId: 'c1', facts: [fact(registration('c1'), 1, { recordedAt: START + 9 * HOUR })] };
    expect(simulate([late, ...OTHERS], GONE)).toEqual([]);
    expect(simulate(OTHERS, GONE)).toEqual([]);
    expect(simulate([{ clusterId: 'c1', facts: [] }, ...OTHERS], GONE)).toEqual([]);
  });

  test('withholds facts in an outage, unless an operator had overridden it', () => {
    const clusters = [registered('c1'), registered('c2')];
    const all = (hours: number, isOverridden = false) => {
      const seen = hours === 0 ? 'up' : 'down';
      return run(hours, { c1: seen, c2: seen }, { isOverridden });
    };
    expect(stops(clusters, [all(0), all(1), all(2)])).toEqual([]);
    expect(stops(clusters, [all(0), all(1), all(2, true)])).toHaveLength(2);
    const after = [run(3, { c1: 'down', c2: 'up' }), run(3.5, { c1: 'down', c2: 'up' })];
    expect(stops(clusters, [all(0), all(1), all(2), ...after])).toEqual([]);
    expect(
      stops(clusters, [all(0), all(1), all(2), ...after, run(4, { c1: 'down', c2: 'up' })]),
    ).toHaveLength(1);
  });

  test('judges by what the runs found in the inventory', () => {
    const gone = (hours: number) =>
      ({ ...up(hours, 'down'), inventoryOf: (id: string) => (id === 'c1' ? 'gone' : 'listed') }) as const;
    const settings = { confirmWith: 'inventory' };
    expect(stops([registered('c1'), ...OTHERS], GONE, settings)).toEqual([]);
    expect(stops([registered('c1'), ...OTHERS], [up(0, 'up'), gone(1), gone(2)], settings)).toHaveLength(1);
  });

  test('attributes a stop to the account that owned the cluster then', () => {
    const moved: Fact = {
      type: 'ClusterChanged',
      clusterId: 'c1',
      effectiveAt: START + 90 * MINUTE,
      accountId: 'globex',
    };
    const facts = [...registered('c1').facts, fact(moved, 2)];
    const exception = {
      name: 'globex',
      version: '2',
      match: { accounts: ['globex'] },
      stopEffective: 'decision',
    };
    const found = simulate([{ clusterId: 'c1', facts }, ...OTHERS], GONE, { policies: [exception] });
    expect(found.map(({ accountId, stops: own }) => [accountId, own.map(({ policy }) => policy)])).toEqual([
      ['globex', ['globex@2']],
    ]);
  });
});

describe('a past run', () => {
  const start: DataOf<'ValidationStarted'> = {
    tick: START,
    shard: '1of2',
    trigger: 'schedule',
    policies: 'digest',
    by: 'validator',
    deadline: START + 4 * MINUTE,
  };
  const summary: DataOf<'ValidationCompleted'> = {
    base: null,
    full: true,
    decidedAt: START + 1_000,
    counts: { alive: 2, unreachable: 0, unknown: 0, unverifiable: 0 },
    changed: 2,
    facts: 0,
    wouldHave: 0,
    withheld: false,
    breaker: { open: false },
    raised: 0,
    resolved: 0,
    durationMs: 10,
  };
  const past = (more: Partial<DataOf<'ValidationCompleted'>> = {}) => {
    const fold = new RunFold();
    fold.apply('a-run', { type: 'ValidationStarted', data: start }, START);
    const data = {
      verdicts: [{ state: 'alive', code: 'ok', clusters: [['c1', 40] as const, ['c2', 50] as const] }],
      inventory: [{ status: 'listed', clusters: ['c1'] }],
      left: [],
    } satisfies DataOf<'ValidationRecorded'>;
    fold.apply('a-run', { type: 'ValidationRecorded', data }, START);
    const raised = [
      { kind: 'billed-but-missing', subject: 'c1', data: {} },
      { kind: 'billed-but-missing', subject: 'c2', data: {} },
      { kind: 'flapping', subject: 'c3', data: {} },
    ] as const;
    const judged = { wouldHave: [], facts: [], marks: [], raised: [...raised], resolved: [] };
    fold.apply('a-run', { type: 'ValidationJudged', data: judged }, START);
    const [end] = fold.apply(
      'a-run',
      { type: 'ValidationCompleted', data: { ...summary, ...more } },
      START + 2_000,
    );
    return pastRunOf(fold, end as Extract<RunEnd, { outcome: 'completed' }>);
  };

  test('has the instants, the shard and the verdicts of its records', () => {
    const { verdicts, inventoryOf: _, ...rest } = past();
    expect(rest).toEqual({
      run: 'a-run',
      shard: '1of2',
      tick: START,
      decidedAt: START + 1_000,
      isOverridden: false,
    });
    expect([...verdicts]).toEqual([
      ['c1', { state: 'alive', code: 'ok', at: START + 40 }],
      ['c2', { state: 'alive', code: 'ok', at: START + 50 }],
    ]);
  });

  test('has what the inventory said, which in older records only a condition says', () => {
    const { inventoryOf } = past();
    expect(['c1', 'c2', 'c3', 'c4'].map(inventoryOf)).toEqual(['listed', 'gone', 'unknown', 'unknown']);
  });

  test('was overridden if its breaker was open and nothing was withheld', () => {
    const breaker = { open: true, since: START, why: 'all', bad: 2, of: 2, canaries: [] } as const;
    expect(past({ breaker }).isOverridden).toBe(true);
    expect(past({ breaker, withheld: true }).isOverridden).toBe(false);
    expect(past({ withheld: true }).isOverridden).toBe(false);
  });
});
