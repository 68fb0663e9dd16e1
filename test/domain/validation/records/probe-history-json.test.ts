import { expect, test } from 'vitest';
import { NO_HISTORY, type ProbeHistory } from '../../../../src/domain/validation/judging/probe-history.ts';
import {
  parseProbeHistory,
  type SerializedProbeHistory,
  serializeProbeHistory,
} from '../../../../src/domain/validation/records/probe-history-json.ts';

const down: ProbeHistory = {
  last: { state: 'unreachable', code: 'refused', at: 10, uid: 'u1', detail: 'port 6443' },
  lastRuns: 2,
  uid: 'u1',
  aliveAt: 5,
  good: undefined,
  bad: { from: 10, to: 20, tick: 9, count: 2, codes: { refused: 2 }, ambiguousAt: 8 },
  flips: [5, 10],
  announced: { unreachable: 'recorded', stopped: 'would', gone: true, missing: 'ended' },
  listing: { status: 'gone', listedAt: 3, goneSince: 4, goneRuns: 7 },
};
const up: ProbeHistory = {
  ...NO_HISTORY,
  last: { state: 'alive', code: 'ok', at: 11 },
  lastRuns: 1,
  aliveAt: 11,
  good: { from: 11, to: 12, tick: 13, count: 14 },
  listing: { status: 'listed', listedAt: undefined, goneSince: undefined, goneRuns: 0 },
};
const bare: ProbeHistory = {
  ...NO_HISTORY,
  bad: { from: 1, to: 2, tick: 3, count: 4, codes: {}, ambiguousAt: undefined },
};
const NOTHING = [null, null, null, null] as const;

test.each<[string, ProbeHistory, SerializedProbeHistory]>([
  ['nothing', NO_HISTORY, [null, null, null, null, null, [], NOTHING, 0, null]],
  [
    'all members',
    down,
    [
      ['unreachable', 'refused', 10, 'u1', 'port 6443'],
      'u1',
      5,
      null,
      [[10, 20, 9, 2], { refused: 2 }, 8],
      [5, 10],
      ['recorded', 'would', true, 'ended'],
      2,
      ['gone', 3, 4, 7],
    ],
  ],
  [
    'a good streak',
    up,
    [
      ['alive', 'ok', 11, null, null],
      null,
      11,
      [11, 12, 13, 14],
      null,
      [],
      NOTHING,
      1,
      ['listed', null, null, 0],
    ],
  ],
  ['a bad streak alone', bare, [null, null, null, null, [[1, 2, 3, 4], {}, null], [], NOTHING, 0, null]],
])('a history with %s is compact JSON, and is read back from it', (_, history, json) => {
  expect(serializeProbeHistory(history)).toEqual(json);
  const parsed = parseProbeHistory(JSON.parse(JSON.stringify(json)));
  expect(parsed).toEqual(history);
  expect(Object.keys(parsed.last ?? {})).toEqual(Object.keys(history.last ?? {}));
});
