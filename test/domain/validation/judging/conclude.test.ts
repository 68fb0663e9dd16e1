import { describe, expect, test } from 'vitest';
import { type BreakerEffect, conclude } from '../../../../src/domain/validation/judging/conclude.ts';
import type { Policy } from '../../../../src/domain/validation/judging/policy.ts';
import {
  type BadStreak,
  type Listing,
  NO_HISTORY,
  type ProbeHistory,
} from '../../../../src/domain/validation/judging/probe-history.ts';
import type { ClusterState, RunInput } from '../../../../src/domain/validation/judging/run-input.ts';
import type { Verdict } from '../../../../src/domain/validation/judging/verdict.ts';
import { billedSince, policies } from '../fleet.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const TICK = Date.parse('2026-04-15T12:00:00.000Z');
const SEEN = TICK + 40;
const REGISTERED = TICK - 10 * DAY;
const SETTINGS = policies({ version: '1' });
const POLICY = SETTINGS.fallback;
const state = billedSince(REGISTERED);
const input: RunInput = {
  run: 'a-run',
  shard: '1of1',
  tick: TICK,
  decidedAt: TICK + 2_000,
  policies: SETTINGS,
  breaker: { open: false },
  proceedUntil: undefined,
  clusters: [],
};
const ALL: BreakerEffect = { isWithheld: false, countedRuns: undefined, massDisappearance: new Set() };
const verdict = (as: Verdict['state'], code: string, more: Partial<Verdict> = {}): Verdict => ({
  state: as,
  code,
  at: SEEN,
  ...more,
});
const ok = verdict('alive', 'ok');
const refused = verdict('unreachable', 'refused');
const silent = verdict('unverifiable', 'network-down');

/** A streak of bad verdicts that began some time before the run. */
const badFor = (ms: number, more: Partial<BadStreak> = {}): BadStreak => ({
  from: TICK - ms + 40,
  to: SEEN,
  tick: TICK - ms,
  count: 300,
  codes: { refused: 300 },
  ambiguousAt: undefined,
  ...more,
});
const goodSince = (from: number, count = 1) => ({ from, to: SEEN, tick: TICK, count });

interface Case {
  readonly verdict?: Verdict;
  readonly history?: Partial<ProbeHistory>;
  readonly state?: Partial<ClusterState>;
  readonly policy?: Partial<Policy>;
  readonly inventory?: 'listed' | 'gone' | 'gone-with-host' | 'unknown';
  readonly labels?: Readonly<Record<string, string>>;
  readonly isDeleted?: boolean;
  readonly breaker?: Partial<BreakerEffect>;
}

function concluded(one: Case) {
  const seen = one.verdict ?? refused;
  const evaluation = {
    cluster: {
      clusterId: 'c1',
      accountId: 'acme',
      labels: one.labels,
      state: { ...state, ...one.state },
      inventory: one.inventory ?? 'unknown',
      history: undefined,
      verdict: seen,
    },
    policy: { ...POLICY, ...one.policy },
    verdict: seen,
    historyBefore: NO_HISTORY,
    historyAfter: { ...NO_HISTORY, last: seen, ...one.history },
    isDeleted: one.isDeleted ?? false,
  };
  return conclude(evaluation, input, { ...ALL, ...one.breaker });
}
const types = (one: Case) => concluded(one).facts.map(({ fact }) => fact.type);
const wouldHave = (one: Case) => concluded(one).wouldHave.map(({ fact }) => fact.type);
const announced = (one: Case) => JSON.parse(JSON.stringify(concluded(one).announced));

const ALIVE = TICK - 2 * DAY;
const down = (ms: number, more: Partial<BadStreak> = {}): Case => ({
  history: { aliveAt: ALIVE, bad: badFor(ms, more) },
});
const both = ['ClusterUnreachable', 'BillingStopped'];

describe('a cluster that stops answering', () => {
  test.each([
    ['after enough verdicts and time', 15 * MINUTE, 3, ['ClusterUnreachable']],
    ['not after too few verdicts', 15 * MINUTE, 2, []],
    ['not after too short a time', 15 * MINUTE - 1, 3, []],
    ['and stopped after a day', DAY, 3, both],
    ['and not stopped before', DAY - 1, 3, ['ClusterUnreachable']],
  ])('is unreachable %s', (_, ms, count, expected) => {
    expect(types(down(ms, { count }))).toEqual(expected);
    expect(concluded(down(ms, { count })).isUnconfirmed).toBe(false);
  });

  test('has both facts with their evidence', () => {
    const history = {
      ...down(DAY).history,
      uid: 'u1',
      bad: badFor(DAY, { codes: { refused: 299, timeout: 1 } }),
    };
    const evidence = {
      run: 'a-run',
      firstBadAt: '2026-04-14T12:00:00.040Z',
      lastBadAt: '2026-04-15T12:00:00.040Z',
      count: 300,
      codes: { refused: 299, timeout: 1 },
      lastAliveAt: '2026-04-13T12:00:00.000Z',
      uid: 'u1',
    };
    const shared = { clusterId: 'c1', policy: 'default@1', evidence, since: '2026-04-14T12:00:00.040Z' };
    expect(concluded({ history })).toEqual({
      facts: [
        {
          id: 'a-run/c1/ClusterUnreachable',
          fact: { ...shared, type: 'ClusterUnreachable', effectiveAt: SEEN },
        },
        {
          id: 'a-run/c1/BillingStopped',
          fact: {
            ...shared,
            type: 'BillingStopped',
            cause: 'unreachable',
            effectiveAt: ALIVE,
            reason: 'unreachable: the cluster has not answered for as long as the policy allows',
          },
        },
      ],
      wouldHave: [],
      announced: { unreachable: 'recorded', stopped: 'recorded' },
      isUnconfirmed: false,
      isNeverVerified: false,
      isFlapping: false,
    });
  });

  test('has the UID that was seen in the evidence if it is another one', () => {
    const evidence = (uid: string | undefined, seen: string | undefined) => {
      const other = verdict('unreachable', 'identity-mismatch', seen === undefined ? {} : { uid: seen });
      const one = { ...down(DAY - 1), verdict: other, history: { ...down(DAY - 1).history, uid } };
      const fact = concluded(one).facts[0]?.fact as { evidence: object };
      return Object.entries(fact.evidence).filter(([key]) => key.startsWith('uid'));
    };
    expect(evidence('u1', 'u2')).toEqual([
      ['uid', 'u1'],
      ['uidSeen', 'u2'],
    ]);
    expect(evidence('u1', 'u1')).toEqual([['uid', 'u1']]);
    expect(evidence('u1', undefined)).toEqual([['uid', 'u1']]);
    expect(evidence(undefined, undefined)).toEqual([]);
  });

  test.each([
    ['last-alive', ALIVE],
    ['first-unreachable', TICK - DAY + 40],
    ['decision', TICK + 2_000],
  ] as const)('is stopped from the instant that its policy names: %s', (stopEffective, effectiveAt) => {
    expect(concluded({ ...down(DAY), policy: { stopEffective } }).facts[1]?.fact).toMatchObject({
      effectiveAt,
    });
  });

  test('is neither unreachable nor stopped before its registration', () => {
    const { facts } = concluded({ ...down(DAY), state: { registeredAt: TICK + 1_000 } });
    expect(facts.map(({ fact }) => fact.effectiveAt)).toEqual([TICK + 1_000, TICK + 1_000]);
    expect(types({ ...down(DAY), state: { registeredAt: TICK + 2_000 } })).toEqual(both);
    expect(types({ ...down(DAY), state: { registeredAt: TICK + 2_001 } })).toEqual([]);
  });

  test('is not stopped if it is free, or stopped already', () => {
    expect(types({ ...down(DAY), state: { billable: false } })).toEqual(['ClusterUnreachable']);
    expect(types({ ...down(DAY), state: { unreachable: true, stoppedSince: 1 } })).toEqual([]);
    expect(announced({ ...down(DAY), state: { unreachable: true, stoppedSince: 1 } })).toEqual({});
  });

  test('is not concluded about while the breaker withholds facts, nor after a verdict that is not bad', () => {
    expect(types({ ...down(DAY), breaker: { isWithheld: true } })).toEqual([]);
    expect(types({ ...down(DAY), verdict: silent })).toEqual([]);
    expect(types({ history: { aliveAt: ALIVE } })).toEqual([]);
  });

  test('has only the verdicts of counted runs against it', () => {
    const counted = (from: number, runs: number) =>
      types({ ...down(DAY), breaker: { countedRuns: { from, runs } } });
    expect(counted(TICK - DAY, 1)).toEqual(both);
    expect(counted(TICK - DAY - 1, 1)).toEqual(both);
    expect(counted(TICK - DAY + 1, 3)).toEqual(['ClusterUnreachable']);
    expect(counted(TICK - DAY + 1, 2)).toEqual([]);
    expect(counted(TICK - 15 * MINUTE + 1, 3)).toEqual([]);
    expect(
      types({ ...down(DAY, { count: 2 }), breaker: { countedRuns: { from: TICK - DAY + 1, runs: 3 } } }),
    ).toEqual([]);
  });
});

describe('a cluster that was never seen alive', () => {
  const never = (ms: number, count = 3): Case => ({ history: { bad: badFor(ms, { count }) } });

  test('is not concluded about, and is reported once it has been silent for long enough', () => {
    expect(types(never(2 * DAY))).toEqual([]);
    const isReported = (one: Case) => concluded(one).isNeverVerified;
    expect(isReported(never(15 * MINUTE))).toBe(true);
    expect(isReported(never(15 * MINUTE - 1))).toBe(false);
    expect(isReported(never(15 * MINUTE, 2))).toBe(false);
    expect(isReported({ ...never(DAY), isDeleted: true })).toBe(false);
    expect(isReported({})).toBe(false);
    expect(isReported(down(DAY))).toBe(false);
  });

  test('is stopped from its first bad verdict if its policy allows that', () => {
    const { facts } = concluded({ ...never(DAY), policy: { stopNeverSeen: true } });
    expect(facts.map(({ fact }) => [fact.type, fact.effectiveAt])).toEqual([
      ['ClusterUnreachable', SEEN],
      ['BillingStopped', TICK - DAY + 40],
    ]);
  });
});

describe('the confirmation of a stop by the inventory', () => {
  const confirmed = (
    confirmWith: Policy['confirmWith'],
    inventory: Case['inventory'],
    ambiguousAt?: number,
  ) => concluded({ ...down(DAY, { ambiguousAt }), policy: { confirmWith }, ...(inventory && { inventory }) });
  const stops = (...args: Parameters<typeof confirmed>) => confirmed(...args).facts.length === 2;

  test.each([
    ['none', 'listed', undefined, true],
    ['none', 'listed', TICK, true],
    ['inventory', 'listed', undefined, false],
    ['inventory', 'unknown', undefined, false],
    ['inventory', 'gone', undefined, true],
    ['inventory', 'gone-with-host', undefined, true],
    ['auto', 'listed', undefined, true],
    ['auto', 'listed', TICK, false],
    ['auto', 'gone', TICK, true],
    ['auto', 'listed', TICK - DAY + 1, false],
    ['auto', 'listed', TICK - DAY, true],
  ] as const)(
    'is needed as its policy says: %s, %s, last ambiguous at %s',
    (confirmWith, inventory, ambiguousAt, expected) => {
      expect(stops(confirmWith, inventory, ambiguousAt)).toBe(expected);
      expect(confirmed(confirmWith, inventory, ambiguousAt).isUnconfirmed).toBe(!expected);
    },
  );

  test('is not missed before the stop is due, nor once billing is stopped', () => {
    const policy = { confirmWith: 'inventory' } as const;
    expect(concluded({ ...down(DAY - 1), policy }).isUnconfirmed).toBe(false);
    expect(concluded({ ...down(DAY), policy, state: { stoppedSince: 1 } }).isUnconfirmed).toBe(false);
    expect(announced({ ...down(DAY), policy })).toEqual({ unreachable: 'recorded' });
  });
});

describe('a cluster that answers again', () => {
  const FROM = TICK - 5 * MINUTE;
  const back: Case = {
    verdict: ok,
    history: {
      aliveAt: SEEN,
      good: goodSince(FROM, 2),
      announced: { unreachable: 'recorded', stopped: 'recorded' },
    },
    state: { unreachable: true, stoppedSince: ALIVE },
  };

  test('is reachable and billed from its first answer on, with the evidence', () => {
    const evidence = {
      run: 'a-run',
      firstAliveAt: '2026-04-15T11:55:00.000Z',
      lastAliveAt: '2026-04-15T12:00:00.040Z',
      count: 2,
      code: 'ok',
    };
    const shared = { clusterId: 'c1', policy: 'default@1', evidence, since: '2026-04-15T11:55:00.000Z' };
    expect(concluded(back)).toMatchObject({ wouldHave: [], announced: {}, isUnconfirmed: false });
    expect(announced(back)).toEqual({});
    expect(concluded(back).facts).toEqual([
      { id: 'a-run/c1/ClusterReachable', fact: { ...shared, type: 'ClusterReachable', effectiveAt: FROM } },
      {
        id: 'a-run/c1/BillingResumed',
        fact: {
          ...shared,
          type: 'BillingResumed',
          cause: 'unreachable',
          effectiveAt: FROM,
          reason: 'reachable: the cluster answers again',
        },
      },
    ]);
  });

  test('is billed after the stop that this ends, since at equal times the stop would win', () => {
    const { facts } = concluded({ ...back, state: { stoppedSince: FROM } });
    expect(facts.map(({ fact }) => [fact.type, fact.effectiveAt])).toEqual([['BillingResumed', FROM + 1]]);
  });

  test('must answer as often as its policy says', () => {
    const both = ['ClusterReachable', 'BillingResumed'];
    expect(types({ ...back, policy: { reachableAfter: 2 } })).toEqual(both);
    expect(types({ ...back, policy: { reachableAfter: 3 } })).toEqual([]);
    expect(announced({ ...back, policy: { reachableAfter: 3 } })).toEqual({
      unreachable: 'recorded',
      stopped: 'recorded',
    });
    expect(types({ ...back, verdict: verdict('alive', 'front') })).toEqual([]);
    expect(types({ ...back, history: {} })).toEqual([]);
  });

  test('is concluded about even while the breaker withholds facts', () => {
    expect(types({ ...back, breaker: { isWithheld: true } })).toEqual(['ClusterReachable', 'BillingResumed']);
  });

  test('has no fact if it was neither unreachable nor stopped', () => {
    expect(types({ ...back, state: {} })).toEqual([]);
    expect(announced({ ...back, state: {} })).toEqual({});
    expect(types({ ...back, state: { unreachable: true } })).toEqual(['ClusterReachable']);
  });
});

describe('a cluster that flips', () => {
  test('has no conclusions until it is steady', () => {
    const flips = Array.from({ length: 7 }, (_, n) => TICK - n - 1).reverse();
    const one = concluded({
      history: { aliveAt: ALIVE, bad: badFor(DAY), flips, announced: { stopped: 'would' } },
    });
    expect(one).toEqual({
      facts: [],
      wouldHave: [],
      announced: { stopped: 'would' },
      isUnconfirmed: false,
      isNeverVerified: false,
      isFlapping: true,
    });
    expect(
      concluded({ history: { aliveAt: ALIVE, bad: badFor(DAY), flips: flips.slice(1) } }).isFlapping,
    ).toBe(false);
  });
});

describe('a deleted cluster', () => {
  const gone = (one: Case) => concluded({ ...one, isDeleted: true }).announced.gone;

  test('is gone after as many bad verdicts as make others unreachable', () => {
    expect(gone(down(1, { count: 3 }))).toBe(true);
    expect(gone(down(1, { count: 2 }))).toBeUndefined();
    expect(types({ ...down(DAY), isDeleted: true })).toEqual([]);
  });

  test('is gone by verdicts of counted runs only, and not in an outage', () => {
    const countedRuns = { from: TICK, runs: 2 };
    expect(gone({ ...down(1), breaker: { countedRuns } })).toBeUndefined();
    expect(gone({ ...down(1), breaker: { countedRuns: { ...countedRuns, runs: 3 } } })).toBe(true);
    expect(gone({ ...down(1), breaker: { isWithheld: true } })).toBeUndefined();
  });

  test('stays gone until it answers', () => {
    const once = { announced: { gone: true, unreachable: 'recorded' } } as const;
    expect(concluded({ history: once, isDeleted: true }).announced).toEqual(once.announced);
    expect(gone({ history: { ...once, bad: badFor(1, { count: 1 }) } })).toBe(true);
    expect(gone({ history: { ...once, bad: badFor(1) }, breaker: { isWithheld: true } })).toBe(true);
    expect(gone({ history: { ...once, bad: badFor(1), last: undefined } })).toBe(true);
    expect(gone({ history: { ...once, bad: badFor(1) }, verdict: ok })).toBeUndefined();
    expect(gone({ history: { ...once }, verdict: verdict('alive', 'front') })).toBe(true);
  });
});

describe('the mode of the policy', () => {
  test.each([
    ['enforce', both, []],
    ['notify', ['ClusterUnreachable'], ['BillingStopped']],
    ['observe', [], both],
  ] as const)('says which facts are recorded and which are only shown: %s', (mode, facts, shown) => {
    const one = { ...down(DAY), policy: { mode } };
    expect([types(one), wouldHave(one)]).toEqual([facts, shown]);
    expect(announced(one)).toEqual({
      unreachable: mode === 'observe' ? 'would' : 'recorded',
      stopped: mode === 'enforce' ? 'recorded' : 'would',
    });
  });

  test.each([
    ['enforce', ['ClusterReachable', 'BillingResumed'], []],
    ['notify', ['ClusterReachable'], ['BillingResumed']],
    ['observe', [], ['ClusterReachable', 'BillingResumed']],
  ] as const)('says which facts are ended and which are only shown as ended: %s', (mode, facts, shown) => {
    const one: Case = {
      verdict: ok,
      policy: { mode },
      history: { good: goodSince(SEEN) },
      state: { unreachable: true, stoppedSince: ALIVE },
    };
    expect([types(one), wouldHave(one)]).toEqual([facts, shown]);
    expect(announced(one)).toEqual({
      ...(mode === 'observe' && { unreachable: 'ended' }),
      ...(mode !== 'enforce' && { stopped: 'ended' }),
    });
  });

  /** Returns what a run does about the stop of a cluster that has been bad for a day, or that answers. */
  const stop = (
    mode: Policy['mode'],
    isDown: boolean,
    before: 'recorded' | 'would' | 'ended' | undefined,
    isStopped: boolean,
  ) => {
    const history = { announced: { unreachable: 'recorded', stopped: before } } as const;
    const one: Case = {
      policy: { mode, unreachableFor: 0 },
      state: { unreachable: true, stoppedSince: isStopped ? ALIVE : undefined },
      ...(isDown
        ? { history: { ...history, aliveAt: ALIVE, bad: badFor(DAY) } }
        : { verdict: ok, history: { ...history, good: goodSince(SEEN) } }),
    };
    const facts = types(one).includes('BillingStopped') || types(one).includes('BillingResumed');
    const shown = wouldHave(one).includes('BillingStopped') || wouldHave(one).includes('BillingResumed');
    return [facts ? 'fact' : shown ? 'shown' : 'nothing', concluded(one).announced.stopped];
  };

  test.each([
    ['enforce', true, undefined, false, 'fact', 'recorded'],
    ['enforce', true, undefined, true, 'nothing', undefined],
    ['enforce', true, 'recorded', false, 'nothing', 'recorded'],
    ['enforce', true, 'recorded', true, 'nothing', 'recorded'],
    ['enforce', true, 'would', false, 'fact', 'recorded'],
    ['enforce', true, 'ended', false, 'fact', 'recorded'],
    ['enforce', false, 'recorded', true, 'fact', undefined],
    ['enforce', false, 'recorded', false, 'nothing', undefined],
    ['observe', true, undefined, false, 'shown', 'would'],
    ['observe', true, undefined, true, 'nothing', undefined],
    ['observe', true, 'would', false, 'nothing', 'would'],
    ['observe', true, 'recorded', false, 'nothing', 'recorded'],
    ['observe', true, 'ended', true, 'shown', 'would'],
    ['observe', true, 'ended', false, 'shown', 'would'],
    ['observe', false, 'would', false, 'shown', undefined],
    ['observe', false, undefined, false, 'nothing', undefined],
    ['observe', false, undefined, true, 'shown', 'ended'],
    ['observe', false, 'recorded', true, 'shown', 'ended'],
    ['observe', false, 'ended', true, 'nothing', 'ended'],
    ['observe', false, 'ended', false, 'nothing', undefined],
  ] as const)(
    'concludes each state once: %s, down %s, announced %s, stopped %s',
    (mode, isDown, before, isStopped, what, after) => {
      expect(stop(mode, isDown, before, isStopped)).toEqual([what, after]);
    },
  );
});

describe('a cluster that its inventory no longer lists', () => {
  const listing: Listing = { status: 'gone', listedAt: ALIVE, goneSince: TICK - DAY, goneRuns: 3 };
  const records = { 'kubefirst/records': 'default' };
  const missing: Case = { verdict: silent, inventory: 'gone', labels: records, history: { listing } };
  const changed = (more: Partial<Listing>): Case => ({
    ...missing,
    history: { listing: { ...listing, ...more } },
  });

  test('is stopped from when it was last listed, with the evidence', () => {
    const one = { ...missing, history: { listing, aliveAt: ALIVE + 5 } };
    expect(concluded(one).facts).toEqual([
      {
        id: 'a-run/c1/BillingStopped/missing',
        fact: {
          type: 'BillingStopped',
          clusterId: 'c1',
          policy: 'default@1',
          cause: 'missing',
          effectiveAt: ALIVE,
          reason: 'missing: the platform no longer lists the cluster, for as long as the policy allows',
          since: '2026-04-13T12:00:00.000Z',
          evidence: {
            run: 'a-run',
            inventory: 'gone',
            lastListedAt: '2026-04-13T12:00:00.000Z',
            goneSince: '2026-04-14T12:00:00.000Z',
            count: 3,
            lastAliveAt: '2026-04-13T12:00:00.005Z',
            code: 'network-down',
          },
        },
      },
    ]);
    expect(announced(one)).toEqual({ missing: 'recorded' });
  });

  test('is stopped from when it was first missed if a record registered it before any list', () => {
    const { facts } = concluded(changed({ listedAt: undefined }));
    expect(facts[0]?.fact).toMatchObject({ effectiveAt: TICK - DAY, since: '2026-04-14T12:00:00.000Z' });
    const [evidence] = facts.map(({ fact }) => (fact as { evidence?: object }).evidence);
    expect(Object.keys(evidence ?? {})).toEqual(['run', 'inventory', 'goneSince', 'count', 'code']);
  });

  test('is not stopped before its registration', () => {
    const { facts } = concluded({ ...missing, state: { registeredAt: TICK - 7 } });
    expect(facts[0]?.fact.effectiveAt).toBe(TICK - 7);
  });

  test.each<[string, Case, boolean]>([
    ['for long enough and often enough', missing, true],
    ['for too short a time', changed({ goneSince: TICK - DAY + 1 }), false],
    ['too rarely', changed({ goneRuns: 2 }), false],
    ['since an unknown time', changed({ goneSince: undefined }), false],
    ['without any status', { ...missing, history: {} }, false],
    ['together with its host', { ...missing, inventory: 'gone-with-host' }, false],
    ['as far as is known', { ...missing, inventory: 'unknown' }, false],
    ['while the breaker is open', { ...missing, breaker: { isWithheld: true } }, false],
    ['with many others', { ...missing, breaker: { massDisappearance: new Set(['c1']) } }, false],
    [
      'with many others that it is not one of',
      { ...missing, breaker: { massDisappearance: new Set(['c2']) } },
      true,
    ],
    ['and is stopped already', { ...missing, state: { stoppedSince: 1 } }, false],
    ['and is free', { ...missing, state: { billable: false } }, false],
    ['and no record registered it', { ...missing, labels: {} }, false],
    ['and a policy names a time', { ...missing, labels: {}, policy: { missingFor: DAY } }, true],
    [
      'and it was never listed',
      { ...changed({ listedAt: undefined }), labels: {}, policy: { missingFor: DAY } },
      false,
    ],
    [
      'and it has neither labels nor ever been listed',
      {
        verdict: silent,
        inventory: 'gone',
        history: { listing: { ...listing, listedAt: undefined } },
        policy: { missingFor: DAY },
      },
      false,
    ],
    ['and the policy says off', { ...missing, policy: { missingFor: 'off' } }, false],
    ['and it answers', { ...missing, verdict: ok }, false],
    ['and only a front answers', { ...missing, verdict: verdict('alive', 'front') }, true],
  ])('is stopped only if that proves that it is gone: %s', (_, one, isStopped) => {
    expect(types(one)).toEqual(isStopped ? ['BillingStopped'] : []);
  });

  test('is stopped once, for the first cause that is due', () => {
    const one = { ...down(DAY), inventory: 'gone', labels: records } as const;
    const { facts } = concluded({ ...one, history: { ...one.history, listing } });
    expect(facts.map(({ id }) => id)).toEqual(['a-run/c1/ClusterUnreachable', 'a-run/c1/BillingStopped']);
    const once = { ...missing, history: { listing, announced: { missing: 'recorded' } } } as const;
    expect([types(once), announced(once)]).toEqual([[], { missing: 'recorded' }]);
    expect(types({ ...missing, state: { missingSince: 1 } })).toEqual([]);
    expect(types({ ...missing, history: { listing, announced: { stopped: 'recorded' } } })).toEqual([]);
    expect(types({ ...missing, history: { listing, announced: { stopped: 'would' } } })).toEqual([
      'BillingStopped',
    ]);
  });

  test('is only shown as stopped if its policy does not enforce', () => {
    const one = { ...missing, policy: { mode: 'notify' } } as const;
    expect([types(one), wouldHave(one), announced(one)]).toEqual([
      [],
      ['BillingStopped'],
      { missing: 'would' },
    ]);
  });

  const stopped: Case = {
    ...missing,
    state: { missingSince: ALIVE },
    history: { announced: { missing: 'recorded' } },
  };

  test('is billed again from the run that finds it listed', () => {
    const { facts } = concluded({ ...stopped, inventory: 'listed' });
    expect(facts).toEqual([
      {
        id: 'a-run/c1/BillingResumed/missing',
        fact: {
          type: 'BillingResumed',
          clusterId: 'c1',
          policy: 'default@1',
          cause: 'missing',
          effectiveAt: TICK,
          reason: 'listed: the platform lists the cluster again',
          since: '2026-04-15T12:00:00.000Z',
          evidence: { run: 'a-run', inventory: 'listed', code: 'network-down' },
        },
      },
    ]);
    expect(announced({ ...stopped, inventory: 'listed' })).toEqual({});
    const same = concluded({ ...stopped, inventory: 'listed', state: { missingSince: TICK } });
    expect(same.facts[0]?.fact.effectiveAt).toBe(TICK + 1);
  });

  test('is billed again from its first answer on', () => {
    const answer = { ...stopped, verdict: ok, history: { good: goodSince(TICK - 9) } };
    expect(concluded(answer).facts[0]?.fact).toMatchObject({
      type: 'BillingResumed',
      cause: 'missing',
      effectiveAt: TICK - 9,
      reason: 'reachable: the cluster answers',
    });
    expect(concluded({ ...answer, history: {} }).facts[0]?.fact).toMatchObject({ effectiveAt: TICK });
  });
});
