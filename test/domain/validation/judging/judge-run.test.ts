import { describe, expect, test } from 'vitest';
import type { Condition } from '../../../../src/domain/validation/judging/condition.ts';
import { judgeRun, VALIDATOR_SOURCE } from '../../../../src/domain/validation/judging/judge.ts';
import { NO_HISTORY, type ProbeHistory } from '../../../../src/domain/validation/judging/probe-history.ts';
import type { ProbedCluster, RunInput } from '../../../../src/domain/validation/judging/run-input.ts';
import type { Verdict } from '../../../../src/domain/validation/judging/verdict.ts';
import { policies } from '../fleet.ts';

const HOUR = 3_600_000;
const TICK = Date.parse('2026-04-15T12:00:00.000Z');
const quick = policies({
  version: '1',
  unreachableAfter: 1,
  unreachableFor: '0m',
  stopAfter: '1h',
  outageMinClusters: 2,
});
const ok: Verdict = { state: 'alive', code: 'ok', at: TICK + 40 };
const refused: Verdict = { state: 'unreachable', code: 'refused', at: TICK + 40 };
const wasAlive: ProbeHistory = {
  ...NO_HISTORY,
  last: { ...ok, at: TICK - HOUR },
  lastRuns: 1,
  uid: 'u1',
  aliveAt: TICK - HOUR,
  good: { from: TICK - HOUR, to: TICK - HOUR, tick: TICK - HOUR, count: 1 },
};
const cluster = (clusterId: string, more: Partial<ProbedCluster> = {}): ProbedCluster => ({
  clusterId,
  accountId: 'acme',
  state: {
    registeredAt: TICK - 10 * HOUR,
    deletedAt: undefined,
    billable: true,
    unreachable: false,
    stoppedSince: undefined,
    missingSince: undefined,
    isStoppedManually: false,
  },
  inventory: 'unknown',
  history: wasAlive,
  verdict: ok,
  ...more,
});
const bad = (clusterId: string) => cluster(clusterId, { verdict: refused });
const up = (count: number) => Array.from({ length: count }, (_, n) => cluster(`up${n}`));
const judge = (clusters: readonly ProbedCluster[], more: Partial<RunInput> = {}) =>
  judgeRun({
    run: 'a-run',
    shard: '1of1',
    tick: TICK,
    decidedAt: TICK + 2_000,
    policies: quick,
    breaker: { open: false },
    proceedUntil: undefined,
    clusters,
    ...more,
  });

describe('a judged run', () => {
  test('has facts, verdicts and histories in the order of the clusters', () => {
    const { facts, verdicts, histories, ...rest } = judge(
      [...up(9), bad('c2'), cluster('c3'), bad('c1')].slice(0, 11),
    );
    expect(facts.map(({ id }) => id)).toEqual(['a-run/c2/ClusterUnreachable']);
    expect(verdicts.slice(0, 2)).toEqual([
      { clusterId: 'c2', verdict: refused, isChanged: true },
      { clusterId: 'c3', verdict: ok, isChanged: false },
    ]);
    expect([...histories.keys()].slice(0, 3)).toEqual(['c2', 'c3', 'up0']);
    expect(histories.get('c2')).toMatchObject({ bad: { count: 1 }, announced: { unreachable: 'recorded' } });
    expect(histories.get('c3')).toMatchObject({ good: { count: 2 }, announced: {} });
    expect(rest).toEqual({
      wouldHave: [],
      conditions: [],
      breaker: { open: false },
      isWithheld: false,
      verifiedGone: [],
    });
  });

  test('has what its mode withheld', () => {
    const observing = policies({ mode: 'observe', unreachableAfter: 1, unreachableFor: '0m' });
    const { facts, wouldHave } = judge([bad('c1'), ...up(9)], { policies: observing });
    expect([facts, wouldHave.map(({ id }) => id)]).toEqual([[], ['a-run/c1/ClusterUnreachable']]);
  });

  test('has the source of its facts', () => {
    expect(VALIDATOR_SOURCE).toBe('urn:cluster-ledger:validator');
  });
});

describe('the verdict of a cluster', () => {
  const judged = (verdict: Verdict, more: Partial<ProbedCluster> = {}) => {
    const { verdicts, histories } = judge([cluster('c1', { verdict, ...more })]);
    return { ...verdicts[0], history: histories.get('c1') };
  };

  test.each([
    ['before the tick', TICK - 1, TICK],
    ['in the run', TICK + 1_234, TICK + 1_234],
    ['after the decision', TICK + 2_001, TICK + 2_000],
  ])('is neither before the tick nor after the decision: %s', (_, at, expected) => {
    expect(judged({ ...ok, at }).verdict?.at).toBe(expected);
  });

  test('has a detail of at most 300 characters, which are whole', () => {
    const detailOf = (detail: string) => judged({ ...refused, detail }).verdict?.detail;
    expect(detailOf('d'.repeat(300))).toBe('d'.repeat(300));
    expect(detailOf('d'.repeat(301))).toBe('d'.repeat(300));
    expect(detailOf(`${'d'.repeat(299)}😀`)).toBe(`${'d'.repeat(299)}\uFFFD`);
    expect(Object.keys(judged(refused).verdict ?? {})).toEqual(['state', 'code', 'at']);
  });

  test('is that of another cluster if the UID is another one', () => {
    const { verdict, history } = judged({ ...ok, uid: 'u2' });
    expect(verdict).toMatchObject({ state: 'unreachable', code: 'identity-mismatch', uid: 'u2' });
    expect(history).toMatchObject({ uid: 'u1', bad: { count: 1 } });
  });

  test('begins a history in the first run, with what the inventory says', () => {
    const { isChanged, history } = judged(ok, { history: undefined, inventory: 'listed' });
    expect(isChanged).toBe(true);
    expect(history).toMatchObject({ good: { count: 1 }, listing: { status: 'listed', listedAt: TICK } });
  });
});

describe('an outage', () => {
  const outage = [bad('c1'), bad('c2'), cluster('c3')];
  const open = { open: true, since: TICK, why: 'ratio', bad: 2, of: 3, canaries: [] };

  test('withholds what bad verdicts would conclude, and is a condition of the shard', () => {
    const { facts, isWithheld, breaker, conditions } = judge(outage, { shard: '1of2' });
    expect([facts, isWithheld]).toEqual([[], true]);
    expect(breaker).toEqual({ ...open, countedRuns: { from: TICK, runs: 0 } });
    expect(conditions).toMatchObject([{ kind: 'mass-unreachable', subject: '1of2' }]);
  });

  test.each([
    ['before the end of the override', TICK + 2_001, false],
    ['at its end', TICK + 2_000, true],
  ])('withholds nothing while an operator has overridden it: %s', (_, proceedUntil, isWithheld) => {
    const judgement = judge(outage, { proceedUntil });
    expect([judgement.isWithheld, judgement.facts.length, judgement.breaker.open]).toEqual([
      isWithheld,
      isWithheld ? 0 : 2,
      true,
    ]);
  });

  test('leaves only the verdicts after it to count, unless an operator has overridden it', () => {
    const down = {
      ...wasAlive,
      last: { ...refused, at: TICK - 2 * HOUR },
      good: undefined,
      bad: {
        from: TICK - 2 * HOUR,
        to: TICK - HOUR,
        tick: TICK - 2 * HOUR,
        count: 9,
        codes: {},
        ambiguousAt: undefined,
      },
    };
    const one = [cluster('c1', { verdict: refused, history: down }), ...up(9)];
    const breaker = { open: false, countedRuns: { from: TICK - HOUR / 2, runs: 3 } } as const;
    const types = (more: Partial<RunInput>) => judge(one, more).facts.map(({ fact }) => fact.type);
    expect(types({})).toEqual(['ClusterUnreachable', 'BillingStopped']);
    expect(types({ breaker })).toEqual(['ClusterUnreachable']);
    expect(judge(one, { breaker }).breaker).toEqual({
      ...breaker,
      countedRuns: { from: TICK - HOUR / 2, runs: 4 },
    });
    expect(types({ breaker, proceedUntil: TICK + HOUR })).toEqual(['ClusterUnreachable', 'BillingStopped']);
  });

  test('has no deleted clusters in it', () => {
    const deleted = (clusterId: string, deletedAt: number) => {
      const one = bad(clusterId);
      return { ...one, state: { ...one.state, deletedAt } };
    };
    const gone = [deleted('c1', TICK + 2_000), deleted('c2', TICK), cluster('c3')];
    expect(judge(gone)).toMatchObject({ isWithheld: false, facts: [], verifiedGone: ['c1', 'c2'] });
    const later = [deleted('c1', TICK + 2_001), deleted('c2', TICK + 2_001), cluster('c3')];
    expect(judge(later)).toMatchObject({ isWithheld: true, verifiedGone: [] });
  });

  test('has clusters in it that are gone from the inventory together: their stops are withheld', () => {
    const listing = {
      status: 'gone',
      listedAt: TICK - 9 * HOUR,
      goneSince: TICK - 8 * HOUR,
      goneRuns: 9,
    } as const;
    const gone = (clusterId: string) =>
      cluster(clusterId, {
        inventory: 'gone',
        history: { ...wasAlive, listing },
        verdict: { state: 'unverifiable', code: 'network-down', at: TICK },
      });
    const settings = policies({ missingFor: '1h', outageMinClusters: 2 });
    const stops = (proceedUntil?: number) =>
      judge([gone('c1'), gone('c2'), ...up(3)], { policies: settings, proceedUntil }).facts.length;
    expect([stops(), stops(TICK + HOUR)]).toEqual([0, 2]);
    const { conditions } = judge([gone('c1'), gone('c2'), ...up(3)], { policies: settings });
    expect(
      conditions.filter(({ kind }) => kind === 'billed-but-missing').map(({ data }) => data['held']),
    ).toEqual(['mass', 'mass']);
  });
});

describe('the conditions of a run', () => {
  const silent = (clusterId: string) =>
    cluster(clusterId, { verdict: { state: 'unverifiable', code: 'no-credential', at: TICK } });
  const ids = (conditions: readonly Condition[]) =>
    conditions.map(({ kind, subject }) => `${kind}:${subject}`);

  test('are those of the outage, of the clusters, and those that were found elsewhere', () => {
    const elsewhere: Condition = { kind: 'running-but-unregistered', subject: 'c9', data: {} };
    const { conditions } = judge([bad('c1'), silent('c2')], { conditions: [elsewhere] });
    expect(ids(conditions)).toEqual([
      'mass-unreachable:1of1',
      'unverifiable:c2',
      'running-but-unregistered:c9',
    ]);
    expect(ids(judge([silent('c2'), ...up(1)]).conditions)).toEqual(['unverifiable:c2']);
  });

  test('have the one that was found elsewhere in place of one with the same id', () => {
    const elsewhere: Condition = { kind: 'unverifiable', subject: 'c2', data: { source: 'argocd' } };
    expect(judge([silent('c2'), ...up(1)], { conditions: [elsewhere] }).conditions).toEqual([elsewhere]);
  });
});

test('each cluster is judged by its own policy', () => {
  const exception = { name: 'slow', match: { accounts: ['globex'] }, unreachableAfter: 2 };
  const settings = policies({ unreachableAfter: 1, unreachableFor: '0m', policies: [exception] });
  const { facts } = judge([bad('c1'), { ...bad('c2'), accountId: 'globex' }, ...up(9)], {
    policies: settings,
  });
  expect(facts.map(({ fact }) => fact.clusterId)).toEqual(['c1']);
});
