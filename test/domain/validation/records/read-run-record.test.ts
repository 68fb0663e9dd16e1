import { describe, expect, test } from 'vitest';
import {
  parseRunId,
  parseRunRecord,
  runId,
  shardName,
  startRecord,
} from '../../../../src/domain/validation/records/run-record.ts';

const AT = '2026-04-15T12:00:00.000Z';
const TICK = Date.parse(AT);

describe('the id of a run', () => {
  test.each([
    ['20260415T120000.000Z', { tick: TICK, shard: { index: 1, count: 1 } }],
    ['20260415T120000.000Z-1of2', { tick: TICK, shard: { index: 1, count: 2 } }],
    ['20260415T120000.000Z-3of3', { tick: TICK, shard: { index: 3, count: 3 } }],
    ['20260415T120000.007Z-10of9999', { tick: TICK + 7, shard: { index: 10, count: 9_999 } }],
  ])('has its tick, and its shard if there are several: %s', (id, parts) => {
    expect(runId(parts.tick, parts.shard)).toBe(id);
    expect(parseRunId(id)).toEqual(parts);
  });

  test.each([
    '',
    'x20260415T120000.000Z',
    '20260415T120000.000Zx',
    '20260415T120000.000Z-1of1',
    '20260415T120000.000Z-0of2',
    '20260415T120000.000Z-01of2',
    '20260415T120000.000Z-2of02',
    '20260415T120000.000Z-4of3',
    '20260415T120000.000Z-1of10000',
    '20260415T120000Z',
    '2026-04-15T12:00:00.000Z',
    '20260415T250000.000Z',
    '20260230T120000.000Z',
    '20260415T120060.000Z',
  ])('is not "%s"', (text) => {
    expect(parseRunId(text)).toBeUndefined();
  });
});

describe('the first record of a run', () => {
  const start = {
    tick: TICK,
    shard: { index: 2, count: 3 },
    trigger: 'schedule',
    policies: 'digest',
    by: 'validator',
    deadline: TICK + 240_000,
  } as const;
  const stored = {
    tick: AT,
    shard: '2of3',
    trigger: 'schedule',
    policies: 'digest',
    by: 'validator',
    deadline: '2026-04-15T12:04:00.000Z',
  };

  test('is stored with instants as text, and read back', () => {
    expect(startRecord(start)).toEqual({ type: 'ValidationStarted', data: stored });
    const parsed = { ...start, shard: shardName(start.shard) };
    expect(parseRunRecord('ValidationStarted', stored)).toEqual({ type: 'ValidationStarted', data: parsed });
  });

  test('may name the time between runs and the number of clusters', () => {
    const more = { everyMs: 300_000, total: 17 };
    expect(startRecord({ ...start, ...more }).data).toEqual({ ...stored, ...more });
    expect(parseRunRecord('ValidationStarted', { ...stored, ...more }).data).toMatchObject(more);
  });

  test.each(['schedule', 'request', 'once'])('names its trigger: %s', (trigger) => {
    expect(parseRunRecord('ValidationStarted', { ...stored, trigger }).data).toMatchObject({ trigger });
  });

  test('cannot be read if an instant is not one', () => {
    expect(() => parseRunRecord('ValidationStarted', { ...stored, tick: 'noon' })).toThrow(
      'ValidationStarted cannot be read: tick is not an instant',
    );
    expect(() => parseRunRecord('ValidationStarted', { ...stored, trigger: 'never' })).toThrow('trigger');
  });
});

const counts = { alive: 1, unreachable: 2, unknown: 3, unverifiable: 4 };

test('a record of progress has its numbers', () => {
  const data = { done: 1, total: 2, counts };
  expect(parseRunRecord('ValidationProgressed', data)).toEqual({ type: 'ValidationProgressed', data });
});

describe('a record of verdicts', () => {
  test('has each verdict with its clusters, the statuses in the inventory, and the clusters that left', () => {
    const data = {
      verdicts: [
        { state: 'alive', code: 'ok', clusters: [['c1', 40, 'u1']] },
        { state: 'unreachable', code: 'refused', clusters: [['c2', 40]] },
        { state: 'unknown', code: 'timeout', clusters: [['c3', null, null, 'late']] },
        { state: 'unverifiable', code: 'no-credential', clusters: [['c4']] },
      ],
      inventory: [
        { status: 'listed', clusters: ['c1'] },
        { status: 'gone', clusters: ['c2'] },
        { status: 'gone-with-host', clusters: ['c3'] },
        { status: 'unknown', clusters: ['c4'] },
      ],
      left: ['c5'],
    };
    expect(parseRunRecord('ValidationRecorded', data)).toEqual({ type: 'ValidationRecorded', data });
    const { inventory: _, ...less } = data;
    expect(parseRunRecord('ValidationRecorded', less).data).toEqual(less);
  });

  test.each([
    ['verdicts.0.state', { verdicts: [{ state: 'dead', code: 'ok', clusters: [] }], left: [] }],
    ['verdicts.0.clusters.0.0', { verdicts: [{ state: 'alive', code: 'ok', clusters: [[17]] }], left: [] }],
    [
      'verdicts.0.clusters.0.1',
      { verdicts: [{ state: 'alive', code: 'ok', clusters: [['c1', {}]] }], left: [] },
    ],
    ['inventory.0.status', { verdicts: [], inventory: [{ status: 'lost', clusters: [] }], left: [] }],
    ['left', { verdicts: [] }],
  ])('cannot be read with a wrong %s', (path, data) => {
    expect(() => parseRunRecord('ValidationRecorded', data)).toThrow(
      `ValidationRecorded cannot be read: ${path} `,
    );
  });
});

describe('a record of conclusions', () => {
  const nothing = { wouldHave: [], facts: [], marks: [], raised: [], resolved: [] };

  test('has facts, marks and conditions', () => {
    const data = {
      wouldHave: [{ type: 'BillingStopped', clusterId: 'c1', effectiveAt: AT, cause: 'missing' }],
      facts: [['c1', 'ClusterUnreachable']],
      marks: [
        ['c1', 'recorded', null, true],
        ['c2', 'would', 'ended', false, 'recorded'],
      ],
      raised: [
        { kind: 'flapping', subject: 'c1', accountId: 'acme', data: { flips: 7, policy: 'default@1' } },
        { kind: 'mass-unreachable', subject: '1of1', data: {} },
      ],
      resolved: ['flapping:c2'],
    };
    expect(parseRunRecord('ValidationJudged', data)).toEqual({ type: 'ValidationJudged', data });
  });

  test.each([
    ['wouldHave.0.effectiveAt', { wouldHave: [{ type: 'BillingStopped', clusterId: 'c1' }] }],
    ['facts.0.1', { facts: [['c1', 1]] }],
    ['marks.0.1', { marks: [['c1', 'maybe', null, true]] }],
    ['marks.0.3', { marks: [['c1', null, null, 'gone']] }],
    ['raised.0.kind', { raised: [{ kind: 'unheard-of', subject: 'c1', data: {} }] }],
    ['raised.0.data.flips', { raised: [{ kind: 'flapping', subject: 'c1', data: { flips: true } }] }],
    ['resolved.0', { resolved: [1] }],
  ])('cannot be read with a wrong %s', (path, wrong) => {
    expect(() => parseRunRecord('ValidationJudged', { ...nothing, ...wrong })).toThrow(
      `ValidationJudged cannot be read: ${path} `,
    );
  });
});

describe('the last record of a run', () => {
  const completed = {
    base: '20260415T115500.000Z',
    full: true,
    decidedAt: AT,
    counts,
    changed: 1,
    facts: 2,
    wouldHave: 3,
    withheld: false,
    breaker: { open: false },
    raised: 4,
    resolved: 5,
    durationMs: 6,
    thresholds: { 'default@1': { unreachableAfter: 3, mode: 'enforce', stopNeverSeen: false } },
  };
  const parsed = (more: object = {}) => parseRunRecord('ValidationCompleted', { ...completed, ...more }).data;

  test('has the numbers of the run', () => {
    expect(parsed()).toEqual({ ...completed, decidedAt: TICK });
    expect(parsed({ base: null })).toMatchObject({ base: null });
    const { thresholds: _, ...without } = completed;
    expect(parseRunRecord('ValidationCompleted', without).data).toEqual({ ...without, decidedAt: TICK });
  });

  test('has the breaker, whose counted runs are stored as trust', () => {
    const trust = { from: AT, runs: 3 };
    const countedRuns = { from: TICK, runs: 3 };
    expect(parsed({ breaker: { open: false, trust } })).toMatchObject({
      breaker: { open: false, countedRuns },
    });
    const open = { open: true, why: 'canary', bad: 1, of: 2, canaries: ['c1'] };
    const { breaker } = parsed({ breaker: { ...open, since: AT, trust } }) as { breaker: object };
    expect(breaker).toEqual({ ...open, since: TICK, countedRuns });
    const { breaker: bare } = parsed({ breaker: { ...open, since: AT } }) as { breaker: object };
    expect(Object.keys(bare)).not.toContain('countedRuns');
  });

  test.each(['canary', 'all', 'ratio'])('has a breaker that is open because of %s', (why) => {
    const breaker = { open: true, since: AT, why, bad: 1, of: 2, canaries: [] };
    expect(parsed({ breaker })).toMatchObject({ breaker: { why } });
  });

  test.each([
    ['counts.alive', { counts: { ...counts, alive: -1 } }],
    ['changed', { changed: 1.5 }],
    ['breaker.why', { breaker: { open: true, since: AT, why: 'mood', bad: 1, of: 2, canaries: [] } }],
    ['breaker.open', { breaker: {} }],
    ['thresholds.default.mode', { thresholds: { default: { mode: null } } }],
  ])('cannot be read with a wrong %s', (path, wrong) => {
    expect(() => parsed(wrong)).toThrow(`ValidationCompleted cannot be read: ${path} `);
  });
});

test('a record of an unknown type cannot be read', () => {
  for (const type of ['ValidationForgotten', 'constructor'])
    expect(() => parseRunRecord(type, {})).toThrow(`${type} is not known`);
});
