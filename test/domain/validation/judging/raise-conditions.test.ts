import { describe, expect, test } from 'vitest';
import type { ClusterConclusions } from '../../../../src/domain/validation/judging/conclude.ts';
import type { Breaker } from '../../../../src/domain/validation/judging/outage.ts';
import { NO_HISTORY, type ProbeHistory } from '../../../../src/domain/validation/judging/probe-history.ts';
import {
  clusterConditions,
  EXPIRED_AFTER_RUNS,
  outageCondition,
} from '../../../../src/domain/validation/judging/raise-conditions.ts';
import type { ClusterEvaluation, ClusterState } from '../../../../src/domain/validation/judging/run-input.ts';
import type { Verdict } from '../../../../src/domain/validation/judging/verdict.ts';
import { billedSince, policies } from '../fleet.ts';

const TICK = Date.parse('2026-04-15T12:00:00.000Z');
const NOON = '2026-04-15T12:00:00.000Z';
const REGISTERED = Date.parse('2026-04-05T12:00:00.000Z');
const DAY = 86_400_000;
const state = billedSince(REGISTERED);
const CONCLUDED: ClusterConclusions = {
  facts: [],
  wouldHave: [],
  announced: {},
  isUnconfirmed: false,
  isNeverVerified: false,
  isFlapping: false,
};
const verdict = (state: Verdict['state'], code: string, more: Partial<Verdict> = {}): Verdict => ({
  state,
  code,
  at: TICK,
  ...more,
});
const POLICY = { ...policies({ version: '1' }).fallback };
const observing = { ...POLICY, mode: 'observe' } as const;

interface Case {
  readonly verdict?: Verdict;
  readonly state?: Partial<ClusterState>;
  readonly history?: Partial<ProbeHistory>;
  readonly concluded?: Partial<ClusterConclusions>;
  readonly inventory?: ClusterEvaluation['cluster']['inventory'];
  readonly labels?: Readonly<Record<string, string>>;
  readonly policy?: ClusterEvaluation['policy'];
  readonly isDeleted?: boolean;
  readonly breaker?: Breaker;
  readonly mass?: readonly string[];
}

const conditions = (one: Case) => {
  const seen = one.verdict ?? verdict('alive', 'ok');
  return clusterConditions(
    {
      cluster: {
        clusterId: 'c1',
        accountId: 'acme',
        labels: one.labels,
        state: { ...state, ...one.state },
        inventory: one.inventory ?? 'unknown',
        history: undefined,
        verdict: seen,
      },
      policy: one.policy ?? POLICY,
      verdict: seen,
      historyBefore: NO_HISTORY,
      historyAfter: { ...NO_HISTORY, last: seen, lastRuns: 1, ...one.history },
      isDeleted: one.isDeleted ?? false,
    },
    { ...CONCLUDED, ...one.concluded },
    { tick: TICK, breaker: one.breaker ?? { open: false }, mass: new Set(one.mass) },
  );
};
const kinds = (one: Case) => conditions(one).map(({ kind }) => kind);
const only = (kind: string, data: object) => [
  { kind, subject: 'c1', accountId: 'acme', data: { ...data, policy: 'default@1' } },
];

describe('a cluster that answers and is billed', () => {
  test('has no condition', () => {
    expect(conditions({})).toStrictEqual([]);
  });
});

describe('a deleted cluster', () => {
  const deletedAt = TICK - 1_000;
  const deleted: Case = { isDeleted: true, state: { deletedAt }, history: { aliveAt: TICK } };

  test('is reported if it answers after its deletion', () => {
    expect(conditions(deleted)).toStrictEqual(
      only('alive-after-delete', { code: 'ok', deletedAt: '2026-04-15T11:59:59.000Z' }),
    );
  });

  test.each<[string, Case]>([
    ['it does not answer', { verdict: verdict('unreachable', 'refused') }],
    ['only a front answers', { verdict: verdict('alive', 'front') }],
    ['it answered up to its deletion', { history: { aliveAt: deletedAt } }],
    ['it never answered', { history: {} }],
    ['its policy only observes', { policy: observing }],
  ])('is not reported if %s', (_, more) => {
    expect(conditions({ ...deleted, ...more })).toStrictEqual([]);
  });

  test('has no other condition', () => {
    const silent = verdict('unverifiable', 'no-credential');
    expect(conditions({ ...deleted, verdict: silent, inventory: 'gone' })).toStrictEqual([]);
  });
});

describe('a cluster that could not be asked', () => {
  const silent = verdict('unverifiable', 'credential-refused', { detail: 'server is missing' });

  test('is reported in every mode with the reason, since it had it', () => {
    const last = { ...silent, at: TICK - 1_000 };
    const expected = {
      code: 'credential-refused',
      detail: 'server is missing',
      since: '2026-04-15T11:59:59.000Z',
    };
    expect(conditions({ verdict: silent, history: { last } })).toStrictEqual(only('unverifiable', expected));
    expect(kinds({ verdict: silent, policy: observing })).toStrictEqual(['unverifiable']);
    const front = verdict('unknown', 'front');
    expect(conditions({ verdict: front })).toStrictEqual(
      only('unverifiable', { code: 'front', since: NOON }),
    );
    expect(conditions({ verdict: front, history: { last: undefined } })).toStrictEqual(
      only('unverifiable', { code: 'front', since: NOON }),
    );
  });

  test.each<[string, Case]>([
    ['free', { state: { billable: false } }],
    ['stopped by an operator', { state: { isStoppedManually: true } }],
    ['stopped as unreachable', { state: { stoppedSince: 1 } }],
    ['stopped as missing', { state: { missingSince: 1 } }],
  ])('is not reported if it is %s', (_, more) => {
    expect(conditions({ verdict: silent, ...more })).toStrictEqual([]);
  });

  test('is not reported if this run stops its billing', () => {
    const fact = (type: 'BillingStopped' | 'BillingResumed') =>
      ({ id: '1', fact: { type, clusterId: 'c1', effectiveAt: TICK, cause: 'missing' } }) as const;
    expect(conditions({ verdict: silent, concluded: { facts: [fact('BillingStopped')] } })).toStrictEqual([]);
    expect(kinds({ verdict: silent, concluded: { facts: [fact('BillingResumed')] } })).toStrictEqual([
      'unverifiable',
    ]);
    const both = [fact('BillingResumed'), fact('BillingStopped')];
    expect(conditions({ verdict: silent, concluded: { facts: both } })).toStrictEqual([]);
  });
});

describe('a credential that is not accepted', () => {
  test.each([
    ['alive', 'unauthorized', EXPIRED_AFTER_RUNS, ['credential-expired']],
    ['alive', 'unauthorized', EXPIRED_AFTER_RUNS - 1, []],
    ['alive', 'front', 4, ['credential-expired']],
    ['alive', 'forbidden', 4, []],
    ['unknown', 'front', 4, ['unverifiable']],
    ['alive', 'certificate-expired', 1, ['certificate-expired']],
    ['alive', 'certificate-not-yet-valid', 1, ['certificate-expired']],
    ['unreachable', 'certificate-expired', 1, []],
  ] as const)(
    'is reported after three runs, and a certificate at once: %s %s for %i',
    (state, code, lastRuns, expected) => {
      expect(EXPIRED_AFTER_RUNS).toBe(3);
      expect(kinds({ verdict: verdict(state, code), history: { lastRuns } })).toStrictEqual(expected);
    },
  );

  test('is reported with what was said', () => {
    const said = { code: 'unauthorized', detail: 'token expired', since: NOON };
    const one = {
      verdict: verdict('alive', 'unauthorized', { detail: 'token expired' }),
      history: { lastRuns: 3 },
    };
    expect(conditions(one)).toStrictEqual(only('credential-expired', said));
    expect(conditions({ verdict: verdict('alive', 'certificate-expired') })).toStrictEqual(
      only('certificate-expired', { code: 'certificate-expired', since: NOON }),
    );
  });

  test('is reported of a stopped cluster too, which could be billed', () => {
    const one = { verdict: verdict('alive', 'certificate-expired'), state: { stoppedSince: 1 } };
    expect(kinds(one)).toStrictEqual(['certificate-expired']);
    expect(kinds({ ...one, state: { billable: false } })).toStrictEqual([]);
    expect(kinds({ ...one, state: { isStoppedManually: true } })).toStrictEqual([]);
  });
});

const refused = verdict('unreachable', 'refused', { detail: 'port 6443' });
const bad = {
  from: TICK - 5_000,
  to: TICK,
  tick: TICK - 5_000,
  count: 3,
  codes: { refused: 3 },
  ambiguousAt: undefined,
};

describe('a cluster that was never seen alive', () => {
  const never: Case = { verdict: refused, history: { bad }, concluded: { isNeverVerified: true } };
  const open = { open: true, since: TICK, bad: 2, of: 2, canaries: [] } as const;

  test('is reported with what was seen instead, and since when', () => {
    expect(conditions(never)).toStrictEqual(
      only('never-verified', {
        code: 'refused',
        detail: 'port 6443',
        since: '2026-04-15T11:59:55.000Z',
        registeredAt: '2026-04-05T12:00:00.000Z',
      }),
    );
    expect(conditions({ ...never, history: {} })[0]?.data).toMatchObject({ since: NOON });
    expect(kinds({ ...never, policy: observing })).toStrictEqual(['never-verified']);
  });

  test('is not reported if silence stops its billing', () => {
    expect(conditions({ ...never, policy: { ...POLICY, stopNeverSeen: true } })).toStrictEqual([]);
  });

  test('is reported in an outage only if other clusters answer', () => {
    expect(conditions({ ...never, breaker: { ...open, why: 'all' } })).toStrictEqual([]);
    expect(conditions({ ...never, breaker: { ...open, why: 'canary' } })).toStrictEqual([]);
    expect(kinds({ ...never, breaker: { ...open, why: 'ratio' } })).toStrictEqual(['never-verified']);
  });
});

describe('a billed cluster that the inventory does not list', () => {
  const goneSince = TICK - DAY / 2;
  const listing = { status: 'gone', listedAt: TICK - DAY, goneSince, goneRuns: 7 } as const;
  const records = { 'kubefirst/records': 'default' };
  const missing: Case = { verdict: refused, inventory: 'gone', labels: records, history: { listing } };
  const times = { lastListedAt: '2026-04-14T12:00:00.000Z', goneSince: '2026-04-15T00:00:00.000Z' };
  const stopsAt = '2026-04-16T00:00:00.000Z';

  test('is reported with when it was last listed, and when its billing stops', () => {
    expect(conditions(missing)).toStrictEqual(only('billed-but-missing', { ...times, stopsAt }));
    expect(kinds({ ...missing, policy: observing })).toStrictEqual(['billed-but-missing']);
  });

  test('is reported without a stop if none is to come', () => {
    expect(conditions({ ...missing, labels: {} })).toStrictEqual(only('billed-but-missing', times));
    expect(conditions({ ...missing, verdict: verdict('alive', 'ok') })).toStrictEqual(
      only('billed-but-missing', { ...times, answers: 1 }),
    );
    const never = {
      ...missing,
      history: { listing: { ...listing, listedAt: undefined, goneSince: undefined } },
    };
    expect(conditions(never)).toStrictEqual(only('billed-but-missing', {}));
    expect(conditions({ ...missing, history: {} })).toStrictEqual(only('billed-but-missing', {}));
  });

  test('is reported with what holds its stop', () => {
    expect(conditions({ ...missing, inventory: 'gone-with-host' })).toStrictEqual(
      only('billed-but-missing', { ...times, held: 'host' }),
    );
    expect(conditions({ ...missing, mass: ['c1'] })).toStrictEqual(
      only('billed-but-missing', { ...times, held: 'mass' }),
    );
    expect(conditions({ ...missing, mass: ['c2'] })).toStrictEqual(
      only('billed-but-missing', { ...times, stopsAt }),
    );
  });

  test.each<[string, Case]>([
    ['listed', { inventory: 'listed' }],
    ['in an inventory that could not be read', { inventory: 'unknown' }],
    ['no longer billed', { state: { missingSince: 1 } }],
    ['stopped', { state: { stoppedSince: 1 } }],
    ['free', { state: { billable: false } }],
  ])('is not reported if it is %s', (_, more) => {
    expect(conditions({ ...missing, ...more })).toStrictEqual([]);
  });
});

describe('a cluster that flips, or whose stop the inventory does not confirm', () => {
  const flapping: Case = { history: { flips: [1, 2, 3] }, concluded: { isFlapping: true } };
  const unconfirmed: Case = {
    verdict: refused,
    inventory: 'listed',
    history: { bad },
    concluded: { isUnconfirmed: true },
  };

  test('is reported unless its policy only observes', () => {
    expect(conditions(flapping)).toStrictEqual(only('flapping', { flips: 3, limit: 6 }));
    expect(conditions(unconfirmed)).toStrictEqual(
      only('stop-unconfirmed', {
        code: 'refused',
        detail: 'port 6443',
        since: '2026-04-15T11:59:55.000Z',
        inventory: 'listed',
      }),
    );
    expect(conditions({ ...unconfirmed, history: {} })[0]?.data).toMatchObject({ since: NOON });
    expect(conditions({ ...flapping, policy: observing })).toStrictEqual([]);
    expect(conditions({ ...unconfirmed, policy: observing })).toStrictEqual([]);
  });
});

describe('an outage', () => {
  const open = { open: true, since: TICK, why: 'canary', bad: 2, of: 9 } as const;
  const names = Array.from({ length: 11 }, (_, n) => `c${n}`);

  test('is a condition of its shard while the breaker is open', () => {
    expect(outageCondition({ open: false }, '1of2')).toStrictEqual([]);
    expect(outageCondition({ ...open, canaries: ['c1', 'c2'] }, '1of2')).toStrictEqual([
      {
        kind: 'mass-unreachable',
        subject: '1of2',
        data: { why: 'canary', since: NOON, bad: 2, of: 9, canaries: 'c1, c2' },
      },
    ]);
    const [without] = outageCondition({ ...open, canaries: [] }, '1of2');
    expect(Object.keys(without?.data ?? {})).toStrictEqual(['why', 'since', 'bad', 'of']);
  });

  test('names at most ten canaries', () => {
    const [condition] = outageCondition({ ...open, canaries: names }, '1of1');
    expect(condition?.data['canaries']).toBe('c0, c1, c2, c3, c4, c5, c6, c7, c8, c9');
  });
});
