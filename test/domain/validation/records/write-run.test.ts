import { describe, expect, test } from 'vitest';
import type { Fact } from '../../../../src/domain/facts/fact.ts';
import type { Condition } from '../../../../src/domain/validation/judging/condition.ts';
import type { JudgedVerdict, Judgement } from '../../../../src/domain/validation/judging/judge.ts';
import { PolicySettings, policiesOf } from '../../../../src/domain/validation/judging/policy.ts';
import {
  type Announced,
  type Listing,
  NO_HISTORY,
  type ProbeHistory,
} from '../../../../src/domain/validation/judging/probe-history.ts';
import {
  countsOf,
  type JudgedRun,
  MAX_RECORD_BYTES,
  type PreviousRun,
  serializeRun,
} from '../../../../src/domain/validation/records/write-run.ts';

const TICK = Date.parse('2026-04-15T12:00:00.000Z');
const DAY = 86_400_000;
const POLICIES = policiesOf(
  PolicySettings.parse({
    version: '1',
    policies: [{ name: 'gold', version: '2', match: { accounts: ['acme'] }, unreachableAfter: 9 }],
  }),
);
const before: PreviousRun = {
  run: '20260415T115500.000Z',
  policies: POLICIES.digest,
  fullAt: TICK - 60_000,
  members: new Set(),
  conditions: new Map(),
};
const NOTHING: Judgement = {
  facts: [],
  wouldHave: [],
  verdicts: [],
  conditions: [],
  breaker: { open: false },
  isWithheld: false,
  verifiedGone: [],
  histories: new Map(),
};
const written = (judgement: Partial<Judgement> = {}, more: Partial<JudgedRun> = {}) =>
  serializeRun({
    tick: TICK,
    decidedAt: TICK + 2_000,
    policies: POLICIES,
    judgement: { ...NOTHING, ...judgement },
    historyBefore: () => undefined,
    before,
    durationMs: 1_234,
    ...more,
  });
const completed = (judgement: Partial<Judgement> = {}, more: Partial<JudgedRun> = {}) =>
  written(judgement, more).at(-1)?.data;
const recorded = (judgement: Partial<Judgement> = {}, more: Partial<JudgedRun> = {}) =>
  written(judgement, more).find(({ type }) => type === 'ValidationRecorded')?.data;
const judged = (judgement: Partial<Judgement> = {}, more: Partial<JudgedRun> = {}) =>
  written(judgement, more).find(({ type }) => type === 'ValidationJudged')?.data;

const verdict = (
  clusterId: string,
  seen: Partial<JudgedVerdict['verdict']> = {},
  isChanged = true,
): JudgedVerdict => ({
  clusterId,
  verdict: { state: 'alive', code: 'ok', at: TICK + 40, latencyMs: 7, ...seen },
  isChanged,
});
const history = (more: Partial<ProbeHistory>): ProbeHistory => ({ ...NO_HISTORY, ...more });
const listed = (status: Listing['status']) =>
  history({ listing: { status, listedAt: undefined, goneSince: undefined, goneRuns: 0 } });
const announcing = (announced: Announced) => history({ announced });

describe('a run in which nothing changes', () => {
  test('is one record with its numbers', () => {
    expect(written()).toStrictEqual([
      {
        type: 'ValidationCompleted',
        data: {
          base: '20260415T115500.000Z',
          full: false,
          decidedAt: '2026-04-15T12:00:02.000Z',
          counts: { alive: 0, unreachable: 0, unknown: 0, unverifiable: 0 },
          changed: 0,
          facts: 0,
          wouldHave: 0,
          withheld: false,
          breaker: { open: false },
          raised: 0,
          resolved: 0,
          durationMs: 1_234,
        },
      },
    ]);
  });

  test('counts all verdicts by their state', () => {
    const verdicts = [
      verdict('c1', {}, false),
      verdict('c2', { state: 'unknown', code: 'timeout' }, false),
      verdict('c3', {}, false),
    ];
    expect(written({ verdicts })).toHaveLength(1);
    expect(completed({ verdicts })).toMatchObject({
      changed: 0,
      counts: { alive: 2, unreachable: 0, unknown: 1, unverifiable: 0 },
    });
    expect(
      countsOf([{ state: 'unreachable' }, { state: 'unverifiable' }, { state: 'unverifiable' }]),
    ).toEqual({
      alive: 0,
      unreachable: 1,
      unknown: 0,
      unverifiable: 2,
    });
  });
});

describe('a full list', () => {
  const thresholds = (data: unknown) => Object.keys((data as { thresholds?: object }).thresholds ?? {});

  test.each<[string, boolean, Partial<JudgedRun>]>([
    ['on the same day as the last one', false, {}],
    [
      'on the day after the last one',
      true,
      { before: { ...before, fullAt: Date.parse('2026-04-14T23:59:59.999Z') } },
    ],
    [
      'at midnight',
      true,
      { tick: Date.parse('2026-04-16T00:00:00.000Z'), before: { ...before, fullAt: TICK } },
    ],
    [
      'in the last run of the day',
      false,
      {
        tick: Date.parse('2026-04-15T23:59:59.999Z'),
        before: { ...before, fullAt: Date.parse('2026-04-15T00:00:00.000Z') },
      },
    ],
    ['a day later', true, { before: { ...before, fullAt: TICK - DAY } }],
    ['after a change of policy', true, { before: { ...before, policies: 'another' } }],
    ['in the first run', true, { before: undefined }],
  ])('is written once a day and after a change of policy: %s', (_, full, more) => {
    expect(completed({}, more)).toMatchObject({ full });
    expect(thresholds(completed({}, more))).toEqual(full ? ['default@1', 'gold@2'] : []);
  });

  test('has the thresholds of each policy without its name', () => {
    const data = completed({}, { before: undefined });
    expect(data).toMatchObject({ base: null });
    const { thresholds: all } = data as { thresholds: Record<string, object> };
    expect(all['gold@2']).toEqual({
      unreachableAfter: 9,
      unreachableFor: 900_000,
      stopAfter: DAY,
      stopEffective: 'last-alive',
      confirmWith: 'auto',
      stopNeverSeen: false,
      missingFor: 'records',
      reachableAfter: 1,
      flapLimit: 6,
      watchDeletedFor: 14 * DAY,
      mode: 'enforce',
    });
  });

  test('has every verdict, the unchanged ones without an instant and a detail', () => {
    const verdicts = [
      verdict('c1', { uid: 'u1', detail: 'not repeated' }, false),
      verdict('c2', {}, false),
      verdict('c3', { detail: 'new' }),
    ];
    expect(recorded({ verdicts }, { before: undefined })).toEqual({
      verdicts: [
        { state: 'alive', code: 'ok', clusters: [['c1', null, 'u1'], ['c2'], ['c3', 40, null, 'new']] },
      ],
      left: [],
    });
    expect(recorded({ verdicts })).toEqual({
      verdicts: [{ state: 'alive', code: 'ok', clusters: [['c3', 40, null, 'new']] }],
      left: [],
    });
  });
});

describe('the record of verdicts', () => {
  test('lists changed verdicts by state and code, with instant, identity and detail', () => {
    const verdicts = [
      verdict('c1', { uid: 'u1' }),
      verdict('c2', { state: 'unreachable', code: 'refused', at: TICK, uid: 'u2', detail: 'port 6443' }),
      verdict('c3'),
      verdict('c4', { state: 'unknown', code: 'front' }),
      verdict('c5', { code: 'front' }),
    ];
    expect(recorded({ verdicts })).toStrictEqual({
      verdicts: [
        {
          state: 'alive',
          code: 'ok',
          clusters: [
            ['c1', 40, 'u1'],
            ['c3', 40],
          ],
        },
        { state: 'unreachable', code: 'refused', clusters: [['c2', 0, 'u2', 'port 6443']] },
        { state: 'unknown', code: 'front', clusters: [['c4', 40]] },
        { state: 'alive', code: 'front', clusters: [['c5', 40]] },
      ],
      left: [],
    });
    expect(completed({ verdicts })).toMatchObject({ changed: 5 });
  });

  test('lists statuses in the inventory that differ from the previous run', () => {
    const verdicts = ['c1', 'c2', 'c3', 'c4', 'c5'].map((clusterId) => verdict(clusterId, {}, false));
    const histories = new Map([
      ['c1', listed('gone')],
      ['c2', listed('listed')],
      ['c3', listed('gone')],
      ['c4', history({})],
    ]);
    const historyBefore = (clusterId: string) =>
      clusterId === 'c1' || clusterId === 'c2' ? listed('listed') : history({});
    expect(recorded({ verdicts, histories }, { historyBefore })).toStrictEqual({
      verdicts: [],
      inventory: [{ status: 'gone', clusters: ['c1', 'c3'] }],
      left: [],
    });
    const all = recorded({ verdicts, histories }) as { inventory: object };
    expect(all.inventory).toEqual([
      { status: 'gone', clusters: ['c1', 'c3'] },
      { status: 'listed', clusters: ['c2'] },
    ]);
  });

  test('names the clusters of the previous run that are no longer probed, in order', () => {
    const members = new Set(['c3', 'c1', 'c2']);
    const verdicts = [verdict('c2', {}, false)];
    expect(recorded({ verdicts }, { before: { ...before, members } })).toEqual({
      verdicts: [],
      left: ['c1', 'c3'],
    });
  });
});

const flapping: Condition = { kind: 'flapping', subject: 'c1', accountId: 'acme', data: { flips: 7 } };
const unverifiable: Condition = { kind: 'unverifiable', subject: 'c2', data: {} };
const stop: Fact = {
  type: 'BillingStopped',
  clusterId: 'c1',
  effectiveAt: TICK,
  cause: 'unreachable',
  reason: 'gone',
};

describe('the record of conclusions', () => {
  test('has the facts, those that the mode withheld whole, and the numbers of both', () => {
    const one: Partial<Judgement> = {
      facts: [
        { id: '1', fact: { ...stop, clusterId: 'c2' } },
        { id: '2', fact: { ...stop, clusterId: 'c3' } },
      ],
      wouldHave: [{ id: '3', fact: stop }],
    };
    expect(judged(one)).toStrictEqual({
      wouldHave: [
        {
          clusterId: 'c1',
          effectiveAt: '2026-04-15T12:00:00.000Z',
          cause: 'unreachable',
          reason: 'gone',
          type: 'BillingStopped',
        },
      ],
      facts: [
        ['c2', 'BillingStopped'],
        ['c3', 'BillingStopped'],
      ],
      marks: [],
      raised: [],
      resolved: [],
    });
    expect(completed(one)).toMatchObject({ facts: 2, wouldHave: 1 });
  });

  test.each<[string, Announced, Announced | undefined, readonly unknown[] | undefined]>([
    ['nothing', {}, undefined, undefined],
    ['the same', { unreachable: 'recorded', gone: true }, { unreachable: 'recorded', gone: true }, undefined],
    ['unreachable', { unreachable: 'recorded' }, {}, ['c1', 'recorded', null, false]],
    [
      'stopped',
      { unreachable: 'recorded', stopped: 'would' },
      { unreachable: 'recorded' },
      ['c1', 'recorded', 'would', false],
    ],
    ['gone', { gone: true }, undefined, ['c1', null, null, true]],
    ['missing', { missing: 'ended' }, {}, ['c1', null, null, false, 'ended']],
    ['no longer stopped', {}, { stopped: 'would' }, ['c1', null, null, false]],
    ['no longer missing', { gone: true }, { gone: true, missing: 'would' }, ['c1', null, null, true]],
  ])('marks what was announced, if that changed: %s', (_, announced, announcedBefore, mark) => {
    const historyBefore = () => (announcedBefore === undefined ? undefined : announcing(announcedBefore));
    const data = judged({ histories: new Map([['c1', announcing(announced)]]) }, { historyBefore });
    expect((data as { marks: unknown[] } | undefined)?.marks).toEqual(
      mark === undefined ? undefined : [mark],
    );
  });

  test('has the conditions that are new or changed, and the ids of those that ended', () => {
    const last = { ...flapping, data: { flips: 6 } };
    const conditions = new Map([
      ['flapping:c1', last],
      ['unverifiable:c2', unverifiable],
      ['flapping:c3', { ...flapping, subject: 'c3' }],
    ]);
    const fresh = { ...unverifiable, subject: 'c4' };
    const one = { conditions: [flapping, unverifiable, fresh] };
    const more = { before: { ...before, conditions } };
    expect(judged(one, more)).toEqual({
      wouldHave: [],
      facts: [],
      marks: [],
      raised: [flapping, fresh],
      resolved: ['flapping:c3'],
    });
    expect(completed(one, more)).toMatchObject({ raised: 2, resolved: 1 });
    expect(judged({ conditions: [flapping] }, { before: undefined })).toMatchObject({ raised: [flapping] });
  });
});

test('a breaker is stored with instants as text, and its counted runs as trust', () => {
  const countedRuns = { from: TICK - 1_000, runs: 3 };
  const trust = { from: '2026-04-15T11:59:59.000Z', runs: 3 };
  const open = { open: true, why: 'canary', bad: 1, of: 2, canaries: ['c1'] } as const;
  const stored = (breaker: Judgement['breaker']) =>
    (completed({ breaker, isWithheld: true }) as { breaker: object }).breaker;
  expect(stored({ open: false, countedRuns })).toStrictEqual({ open: false, trust });
  expect(stored({ ...open, since: TICK })).toStrictEqual({ ...open, since: '2026-04-15T12:00:00.000Z' });
  expect(stored({ ...open, since: TICK, countedRuns })).toEqual({
    ...open,
    since: '2026-04-15T12:00:00.000Z',
    trust,
  });
  expect(completed({ isWithheld: true })).toMatchObject({ withheld: true });
});

describe('a long list', () => {
  /** A verdict whose entry needs `bytes` bytes of JSON. */
  const sized = (bytes: number) => {
    const one = verdict('c1', { detail: '' });
    const item = { state: 'alive', code: 'ok', entry: ['c1', 40, null, ''] };
    return { ...one, verdict: { ...one.verdict, detail: 'x'.repeat(bytes - JSON.stringify(item).length) } };
  };
  const chunks = (...verdicts: JudgedVerdict[]) =>
    written({ verdicts })
      .filter(({ type }) => type === 'ValidationRecorded')
      .map(({ data }) => {
        const { verdicts: groups, left } = data as { verdicts: { clusters: unknown[] }[]; left: unknown[] };
        expect(left).toEqual([]);
        return groups[0]?.clusters.length;
      });
  const half = MAX_RECORD_BYTES / 2 - 64;

  test('is one record up to its limit, and several beyond it', () => {
    expect(MAX_RECORD_BYTES).toBe(49_152);
    expect(chunks(sized(half), sized(half))).toEqual([2]);
    expect(chunks(sized(half), sized(half + 1))).toEqual([1, 1]);
    expect(chunks(sized(half), sized(half), sized(half), sized(half), sized(half))).toEqual([2, 2, 1]);
  });

  test('has one record for an item that is beyond the limit', () => {
    expect(chunks(sized(MAX_RECORD_BYTES + 1))).toEqual([1]);
    expect(chunks(sized(MAX_RECORD_BYTES), sized(200), sized(200))).toEqual([1, 2]);
  });

  test('is measured in bytes, not in characters', () => {
    const euros = (count: number) => verdict('c1', { detail: '€'.repeat(count) });
    expect(chunks(euros(8_000), euros(8_000))).toEqual([2]);
    expect(chunks(euros(8_200), euros(8_200))).toEqual([1, 1]);
  });
});
