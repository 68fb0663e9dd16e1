import { describe, expect, test } from 'vitest';
import {
  type ActiveRun,
  newActiveRun,
  parseAnnounced,
  withJudged,
  withRecorded,
} from '../../../../src/domain/validation/records/active-run.ts';

const TICK = 1_776_254_400_000;
const start = {
  tick: TICK,
  shard: '1of1',
  trigger: 'schedule',
  policies: 'digest',
  by: 'validator',
  deadline: TICK + 240_000,
} as const;
const begun = newActiveRun('20260415T120000.000Z', start, TICK + 5);
const flapping = { kind: 'flapping', subject: 'c1', data: { flips: 7 } } as const;
const unverifiable = { kind: 'unverifiable', subject: 'c2', data: {} } as const;

test('a run begins with its start and nothing else', () => {
  expect(begun).toEqual({
    run: '20260415T120000.000Z',
    start,
    startedAt: TICK + 5,
    progress: undefined,
    changes: [],
    listings: [],
    left: [],
    marks: [],
    raised: [],
    resolved: [],
  });
});

describe('the recorded verdicts of a run', () => {
  const recorded = withRecorded(begun, {
    verdicts: [
      { state: 'alive', code: 'ok', clusters: [['c1', 40, 'u1'], ['c2', 50], ['c3'], ['c4', null, 'u4']] },
      {
        state: 'unknown',
        code: 'timeout',
        clusters: [
          ['c5', 60, null, 'no answer'],
          ['c6', 70, 'u6', 'late'],
        ],
      },
    ],
    inventory: [
      { status: 'listed', clusters: ['c1', 'c2'] },
      { status: 'gone', clusters: ['c3'] },
    ],
    left: ['c7'],
  });

  test('have the instants, identities and details that were listed', () => {
    expect(recorded.changes).toEqual([
      ['c1', { state: 'alive', code: 'ok', at: TICK + 40, uid: 'u1' }],
      ['c2', { state: 'alive', code: 'ok', at: TICK + 50 }],
      ['c3', { state: 'alive', code: 'ok', at: TICK }],
      ['c4', { state: 'alive', code: 'ok', at: TICK, uid: 'u4' }],
      ['c5', { state: 'unknown', code: 'timeout', at: TICK + 60, detail: 'no answer' }],
      ['c6', { state: 'unknown', code: 'timeout', at: TICK + 70, uid: 'u6', detail: 'late' }],
    ]);
  });

  test('have no member for what was not listed', () => {
    const keys = recorded.changes.map(([, verdict]) => Object.keys(verdict).join(' '));
    expect(keys).toEqual([
      'state code at uid',
      'state code at',
      'state code at',
      'state code at uid',
      'state code at detail',
      'state code at uid detail',
    ]);
  });

  test('come with the statuses in the inventory and the clusters that are no longer probed', () => {
    expect(recorded.listings).toEqual([
      ['c1', 'listed'],
      ['c2', 'listed'],
      ['c3', 'gone'],
    ]);
    expect(recorded.left).toEqual(['c7']);
  });

  test('are added to those of earlier records, in order', () => {
    const more = withRecorded(recorded, {
      verdicts: [{ state: 'alive', code: 'ok', clusters: [['c8', 1]] }],
      inventory: [{ status: 'unknown', clusters: ['c8'] }],
      left: ['c9'],
    });
    expect(more.changes.map(([clusterId]) => clusterId)).toEqual(['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c8']);
    expect(more.listings.at(-1)).toEqual(['c8', 'unknown']);
    expect(more.listings).toHaveLength(4);
    expect(more.left).toEqual(['c7', 'c9']);
    expect(withRecorded(more, { verdicts: [], left: [] })).toEqual(more);
  });
});

test('the conclusions of a run are added to those of earlier records, in order', () => {
  const judged = withJudged(begun, {
    wouldHave: [],
    facts: [],
    marks: [['c1', 'recorded', null, false]],
    raised: [flapping],
    resolved: ['flapping:c3'],
  });
  const expected: Partial<ActiveRun> = {
    marks: [['c1', 'recorded', null, false]],
    raised: [flapping],
    resolved: ['flapping:c3'],
  };
  expect(judged).toEqual({ ...begun, ...expected });
  const more = withJudged(judged, {
    wouldHave: [],
    facts: [],
    marks: [['c2', null, 'would', true]],
    raised: [unverifiable],
    resolved: ['flapping:c4'],
  });
  expect(more).toEqual({
    ...begun,
    marks: [
      ['c1', 'recorded', null, false],
      ['c2', null, 'would', true],
    ],
    raised: [flapping, unverifiable],
    resolved: ['flapping:c3', 'flapping:c4'],
  });
});

test.each([
  [[null, null, false], {}],
  [
    ['recorded', 'would', true, 'ended'],
    { unreachable: 'recorded', stopped: 'would', gone: true, missing: 'ended' },
  ],
  [['would', null, true, null], { unreachable: 'would', gone: true }],
] as const)('what was announced is read from %j', (stored, announced) => {
  expect(parseAnnounced(stored)).toEqual(announced);
});
