import { expect, test } from 'vitest';
import {
  completedRun,
  runStateOf,
  startedRun,
} from '../../../../src/domain/validation/records/run-summary.ts';

const start = {
  tick: 1_000,
  shard: '2of3',
  trigger: 'request',
  policies: 'digest',
  by: 'acme',
  deadline: 5_000,
  everyMs: 300_000,
} as const;
const run = startedRun('a-run', start, { position: 17, recordedAt: 1_005 });
const summary = {
  base: null,
  full: true,
  decidedAt: 2_000,
  counts: { alive: 1, unreachable: 2, unknown: 3, unverifiable: 4 },
  changed: 5,
  facts: 6,
  wouldHave: 7,
  withheld: false,
  breaker: { open: false },
  raised: 8,
  resolved: 9,
  durationMs: 10,
} as const;

test('a run that has begun has no result', () => {
  expect(run).toStrictEqual({
    run: 'a-run',
    position: 17,
    tick: 1_000,
    shard: '2of3',
    trigger: 'request',
    by: 'acme',
    policies: 'digest',
    startedAt: 1_005,
    deadline: 5_000,
    result: undefined,
    abandoned: undefined,
  });
});

test('a completed run has the numbers of its last record', () => {
  expect(completedRun(run, summary, 2_010)).toEqual({
    ...run,
    result: {
      completedAt: 2_010,
      durationMs: 10,
      counts: { alive: 1, unreachable: 2, unknown: 3, unverifiable: 4 },
      changed: 5,
      facts: 6,
      wouldHave: 7,
      withheld: false,
      breaker: { open: false },
      raised: 8,
      resolved: 9,
      full: true,
    },
  });
});

test('a run without an end is running up to its deadline, and abandoned after it', () => {
  expect(runStateOf(run, 4_999)).toBe('running');
  expect(runStateOf(run, 5_000)).toBe('running');
  expect(runStateOf(run, 5_001)).toBe('abandoned');
  expect(runStateOf({ ...run, abandoned: 'late' }, 4_000)).toBe('abandoned');
  expect(runStateOf(completedRun(run, summary, 2_010), 9_000)).toBe('completed');
});
