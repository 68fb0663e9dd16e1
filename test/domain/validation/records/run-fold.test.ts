import { describe, expect, test } from 'vitest';
import type { Condition } from '../../../../src/domain/validation/judging/condition.ts';
import { NO_HISTORY } from '../../../../src/domain/validation/judging/probe-history.ts';
import { type RunEnd, RunFold } from '../../../../src/domain/validation/records/run-fold.ts';
import type { DataOf, RunRecord } from '../../../../src/domain/validation/records/run-record.ts';

const TICK = 1_776_254_400_000;
const MINUTE = 60_000;
const COUNTS = { alive: 1, unreachable: 0, unknown: 0, unverifiable: 0 };

const started = (tick: number, shard = '1of1'): RunRecord => ({
  type: 'ValidationStarted',
  data: {
    tick,
    shard,
    trigger: 'schedule',
    policies: 'digest',
    by: 'validator',
    deadline: tick + 4 * MINUTE,
    everyMs: 5 * MINUTE,
  },
});
const recorded = (more: Partial<DataOf<'ValidationRecorded'>>): RunRecord => ({
  type: 'ValidationRecorded',
  data: { verdicts: [], left: [], ...more },
});
const judged = (more: Partial<DataOf<'ValidationJudged'>>): RunRecord => ({
  type: 'ValidationJudged',
  data: { wouldHave: [], facts: [], marks: [], raised: [], resolved: [], ...more },
});
const completed = (more: Partial<DataOf<'ValidationCompleted'>> = {}): RunRecord => ({
  type: 'ValidationCompleted',
  data: {
    base: null,
    full: false,
    decidedAt: TICK,
    counts: COUNTS,
    changed: 0,
    facts: 0,
    wouldHave: 0,
    withheld: false,
    breaker: { open: false },
    raised: 0,
    resolved: 0,
    durationMs: 10,
    ...more,
  },
});
const alive = (...clusters: readonly string[]): RunRecord =>
  recorded({ verdicts: [{ state: 'alive', code: 'ok', clusters: clusters.map((id) => [id, 40] as const) }] });
const refused = (...clusters: readonly string[]): RunRecord =>
  recorded({
    verdicts: [{ state: 'unreachable', code: 'refused', clusters: clusters.map((id) => [id, 40] as const) }],
  });
const condition = (subject: string, flips = 7): Condition => ({ kind: 'flapping', subject, data: { flips } });

/** Applies whole runs, five minutes apart and each relative to the last one, and returns how they ended. */
class Log {
  readonly fold = new RunFold();
  readonly #last = new Map<string, string>();
  #runs = 0;

  play(
    records: readonly RunRecord[],
    more: Partial<DataOf<'ValidationCompleted'>> = {},
    shard = '1of1',
  ): readonly RunEnd[] {
    const tick = TICK + this.#runs * 5 * MINUTE;
    const run = `run-${this.#runs++}`;
    const base = this.#last.get(shard) ?? null;
    const ends = [started(tick, shard), ...records, completed({ base, ...more })].flatMap((record) =>
      this.fold.apply(run, record, tick + 100),
    );
    this.#last.set(shard, run);
    return ends;
  }

  get shard() {
    return this.fold.shards.get('1of1');
  }
}

describe('the state after a run', () => {
  test('has what the next run is relative to', () => {
    const log = new Log();
    log.play([alive('c1', 'c2'), judged({ raised: [condition('c1')] })], { full: true });
    expect(log.shard).toStrictEqual({
      shard: '1of1',
      run: 'run-0',
      policies: 'digest',
      fullAt: TICK,
      members: new Set(['c1', 'c2']),
      conditions: new Map([['flapping:c1', condition('c1')]]),
      tick: TICK,
      completedAt: TICK + 100,
      everyMs: 5 * MINUTE,
      counts: COUNTS,
      breaker: { open: false },
      completedRuns: 1,
    });
  });

  test('keeps the tick of the last full list and counts the runs', () => {
    const log = new Log();
    log.play([]);
    log.play([]);
    expect(log.shard).toMatchObject({ fullAt: TICK, completedRuns: 2, tick: TICK + 5 * MINUTE });
    log.play([], { full: true });
    expect(log.shard).toMatchObject({ fullAt: TICK + 10 * MINUTE, completedRuns: 3 });
  });

  test('has the breaker, which is closed before any run', () => {
    const log = new Log();
    expect(log.fold.breakerOf('1of1')).toEqual({ open: false });
    const breaker = { open: true, since: TICK, why: 'all', bad: 2, of: 2, canaries: [] } as const;
    log.play([], { breaker });
    expect(log.fold.breakerOf('1of1')).toEqual(breaker);
    expect(log.fold.breakerOf('1of2')).toEqual({ open: false });
  });

  test('has the probed clusters: those of the run before, with the new ones and without those that left', () => {
    const log = new Log();
    const members = () => [...(log.shard?.members ?? [])];
    log.play([alive('c1', 'c2')]);
    log.play([]);
    expect(members()).toEqual(['c1', 'c2']);
    log.play([recorded({ left: ['c1'] })]);
    expect(members()).toEqual(['c2']);
    expect(log.fold.historyOf('c1')).toBeUndefined();
    log.play([alive('c3')]);
    expect(members()).toEqual(['c2', 'c3']);
    log.play([alive('c4'), recorded({ left: ['c2'] })]);
    expect(members()).toEqual(['c3', 'c4']);
    log.play([alive('c3')], { full: true });
    expect(members()).toEqual(['c3']);
  });

  test('has the conditions that last', () => {
    const log = new Log();
    const ids = () => [...(log.shard?.conditions.values() ?? [])];
    log.play([judged({ raised: [condition('c1'), condition('c2')] })]);
    log.play([]);
    expect(ids()).toEqual([condition('c1'), condition('c2')]);
    log.play([judged({ raised: [condition('c2', 8)] })]);
    expect(ids()).toEqual([condition('c1'), condition('c2', 8)]);
    log.play([judged({ resolved: ['flapping:c1'] })]);
    expect(ids()).toEqual([condition('c2', 8)]);
    log.play([judged({ raised: [condition('c3')], resolved: ['flapping:c2'] })]);
    expect(ids()).toEqual([condition('c3')]);
  });
});

describe('the end of a run', () => {
  test('has the conditions that are new, that changed, and that ended', () => {
    const log = new Log();
    const [first] = log.play([judged({ raised: [condition('c1'), condition('c2')] })]);
    expect(first).toMatchObject({
      outcome: 'completed',
      run: { run: 'run-0' },
      completedAt: TICK + 100,
      began: [condition('c1'), condition('c2')],
      changed: [],
      ended: [],
    });
    const [second] = log.play([
      judged({ raised: [condition('c3'), condition('c1', 8)], resolved: ['flapping:c2'] }),
    ]);
    expect(second).toMatchObject({
      summary: { base: 'run-0' },
      began: [condition('c3')],
      changed: [condition('c1', 8)],
      ended: ['flapping:c2'],
    });
  });

  test('comes only with its last record', () => {
    const fold = new RunFold();
    for (const record of [started(TICK), alive('c1'), judged({})])
      expect(fold.apply('r', record, TICK)).toEqual([]);
    const progress = { done: 1, total: 2, counts: COUNTS };
    expect(fold.apply('r', { type: 'ValidationProgressed', data: progress }, TICK)).toEqual([]);
    expect(fold.activeRuns.get('r')).toMatchObject({ progress, startedAt: TICK });
    expect(fold.historyOf('c1')).toBeUndefined();
    expect(fold.apply('r', completed(), TICK)).toHaveLength(1);
    expect([...fold.activeRuns.keys()]).toEqual([]);
    expect(fold.apply('r', completed(), TICK)).toEqual([]);
    expect(fold.apply('unheard-of', alive('c1'), TICK)).toEqual([]);
  });

  test.each([
    ['at its deadline', 4 * MINUTE, null, 'completed'],
    ['after its deadline', 4 * MINUTE + 1, null, 'late'],
    ['relative to another run', 0, 'another', 'out-of-order'],
  ])('has no effect if it is late or out of order: %s', (_, after, base, expected) => {
    const fold = new RunFold();
    fold.apply('r', started(TICK), TICK);
    fold.apply('r', alive('c1'), TICK);
    const [end] = fold.apply('r', completed({ base }), TICK + after);
    expect(end?.outcome === 'abandoned' ? end.why : end?.outcome).toBe(expected);
    expect(end?.run.run).toBe('r');
    expect(fold.historyOf('c1') !== undefined).toBe(expected === 'completed');
    expect(fold.shards.size).toBe(expected === 'completed' ? 1 : 0);
  });

  test('is abandoned for the runs whose deadline has passed when another begins', () => {
    const fold = new RunFold();
    fold.apply('r', started(TICK), TICK);
    expect(fold.apply('s', started(TICK, '1of2'), TICK + 4 * MINUTE)).toEqual([]);
    expect([...fold.activeRuns.keys()]).toEqual(['r', 's']);
    const ends = fold.apply('t', started(TICK + 5 * MINUTE), TICK + 4 * MINUTE + 1);
    expect(ends).toMatchObject([
      { outcome: 'abandoned', why: 'late', run: { run: 'r' } },
      { outcome: 'abandoned', why: 'late', run: { run: 's' } },
    ]);
    expect([...fold.activeRuns.keys()]).toEqual(['t']);
  });

  test('is abandoned for a run with a record that cannot be read', () => {
    const fold = new RunFold();
    fold.apply('r', started(TICK), TICK);
    expect(fold.abandon('r')).toMatchObject([{ outcome: 'abandoned', why: 'unreadable', run: { run: 'r' } }]);
    expect([...fold.activeRuns.keys()]).toEqual([]);
    expect(fold.abandon('r')).toEqual([]);
  });
});

describe('the history of a cluster', () => {
  test('includes the later runs that recorded nothing about it', () => {
    const log = new Log();
    expect(log.fold.historyOf('c1')).toBeUndefined();
    log.play([refused('c1'), recorded({ inventory: [{ status: 'gone', clusters: ['c1'] }] })]);
    log.play([]);
    log.play([]);
    expect(log.fold.historyOf('c1')).toEqual({
      ...NO_HISTORY,
      last: { state: 'unreachable', code: 'refused', at: TICK + 40 },
      lastRuns: 3,
      bad: {
        from: TICK + 40,
        to: TICK + 10 * MINUTE,
        tick: TICK,
        count: 3,
        codes: { refused: 3 },
        ambiguousAt: undefined,
      },
      listing: { status: 'gone', listedAt: undefined, goneSince: TICK, goneRuns: 3 },
    });
  });

  test('goes on with a new verdict or a new status, and the other one unchanged', () => {
    const log = new Log();
    log.play([refused('c1'), recorded({ inventory: [{ status: 'gone', clusters: ['c1'] }] })]);
    log.play([]);
    log.play([recorded({ inventory: [{ status: 'unknown', clusters: ['c1'] }] })]);
    expect(log.fold.historyOf('c1')).toMatchObject({
      lastRuns: 3,
      bad: { count: 3, to: TICK + 10 * MINUTE },
      listing: { status: 'unknown', goneSince: TICK, goneRuns: 2 },
    });
    log.play([recorded({ inventory: [{ status: 'gone', clusters: ['c1'] }] })]);
    log.play([alive('c1')]);
    expect(log.fold.historyOf('c1')).toMatchObject({
      lastRuns: 1,
      last: { state: 'alive' },
      good: { count: 1 },
      listing: { status: 'gone', goneRuns: 4 },
    });
  });

  test('begins with a status alone if no verdict was recorded', () => {
    const log = new Log();
    log.play([recorded({ inventory: [{ status: 'listed', clusters: ['c1'] }] })]);
    expect(log.fold.historyOf('c1')).toEqual({
      ...NO_HISTORY,
      listing: { status: 'listed', listedAt: TICK, goneSince: undefined, goneRuns: 0 },
    });
    expect([...log.fold.verdictsOf('1of1')]).toEqual([]);
  });

  test('has what was announced, from the run that announced it on', () => {
    const log = new Log();
    log.play([
      refused('c1'),
      judged({
        marks: [
          ['c1', 'recorded', null, false],
          ['c9', 'would', null, false],
        ],
      }),
    ]);
    log.play([]);
    expect(log.fold.historyOf('c1')).toMatchObject({ announced: { unreachable: 'recorded' }, lastRuns: 2 });
    log.play([judged({ marks: [['c1', 'recorded', 'would', true]] })]);
    log.play([]);
    expect(log.fold.historyOf('c1')).toMatchObject({
      announced: { unreachable: 'recorded', stopped: 'would', gone: true },
      lastRuns: 4,
      bad: { count: 4 },
    });
    expect(log.fold.historyOf('c9')).toBeUndefined();
  });
});

test('the verdicts of the last run have the tick of that run if they are older', () => {
  const log = new Log();
  log.play([alive('c1', 'c2')]);
  log.play([refused('c2')]);
  expect([...log.fold.verdictsOf('1of1')]).toEqual([
    ['c1', { state: 'alive', code: 'ok', at: TICK + 5 * MINUTE }],
    ['c2', { state: 'unreachable', code: 'refused', at: TICK + 5 * MINUTE + 40 }],
  ]);
  expect([...log.fold.verdictsOf('1of2')]).toEqual([]);
});

describe('after a change of the number of shards', () => {
  const divided = () => {
    const log = new Log();
    log.play([refused('c1'), judged({ raised: [condition('c1'), condition('c3')] })], {}, '1of2');
    log.play([refused('c2')], {}, '2of2');
    log.play([], {}, '1of2');
    return log;
  };

  test('shards of the former number are dropped, and the histories of their clusters stay as they are', () => {
    const log = divided();
    log.play([refused('c1')]);
    expect([...log.fold.shards.keys()]).toEqual(['1of1']);
    expect(log.fold.historyOf('c1')).toMatchObject({ lastRuns: 3 });
    expect(log.fold.historyOf('c2')).toMatchObject({ lastRuns: 1 });
    log.play([]);
    expect(log.fold.historyOf('c1')).toMatchObject({ lastRuns: 4 });
    expect(log.fold.historyOf('c2')).toMatchObject({ lastRuns: 1 });
  });

  test('conditions of dropped shards end, unless the new shard has found them too', () => {
    const [end] = divided().play([judged({ raised: [condition('c1')] })]);
    expect(end).toMatchObject({ began: [condition('c1')], changed: [], ended: ['flapping:c3'] });
  });

  test('shards of the same number are kept', () => {
    const log = divided();
    log.play([], {}, '1of2');
    expect([...log.fold.shards.keys()]).toEqual(['1of2', '2of2']);
  });
});

test('the whole state is plain JSON, from which it can be restored', () => {
  const log = new Log();
  log.play([
    refused('c1', 'c2'),
    judged({ raised: [condition('c1')], marks: [['c1', 'recorded', null, false]] }),
  ]);
  log.play([recorded({ left: ['c2'] })]);
  log.fold.apply('open', started(TICK + 10 * MINUTE), TICK + 10 * MINUTE);
  log.fold.apply('open', alive('c1'), TICK + 10 * MINUTE);
  const json = JSON.parse(JSON.stringify(log.fold.parts));
  expect(json).toMatchObject({
    shards: [
      { shard: '1of1', run: 'run-1', members: ['c1'], conditions: [condition('c1')], completedRuns: 2 },
    ],
    underWay: [{ run: 'open', startedAt: TICK + 10 * MINUTE, changes: [['c1', { state: 'alive' }]] }],
  });
  const [[clusterId, shard, appliedRuns, [last]]] = json.entries;
  expect([clusterId, shard, appliedRuns]).toEqual(['c1', '1of1', 1]);
  expect(last).toEqual(['unreachable', 'refused', TICK + 40, null, null]);
  const restored = RunFold.restore(json);
  expect(restored.historyOf('c1')).toEqual(log.fold.historyOf('c1'));
  expect(restored.shards.get('1of1')).toEqual(log.shard);
  expect(restored.activeRuns.get('open')).toEqual(log.fold.activeRuns.get('open'));
  expect(JSON.stringify(restored.parts)).toBe(JSON.stringify(log.fold.parts));
});
