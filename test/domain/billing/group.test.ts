import { describe, expect, test } from 'vitest';
import { groupedIntervals, groupsInOrder } from '../../../src/domain/billing/group.ts';
import { usageOf } from '../../../src/domain/billing/usage-meter.ts';

type Billed = readonly { readonly from: number; readonly to: number | null }[];
type Values = readonly { readonly at: number; readonly value: string | null }[];
type Cut = readonly (readonly [from: number, to: number | null, value: string | null])[];

describe('billed intervals, cut at the changes of an attribute', () => {
  const twice: Billed = [
    { from: 10, to: 20 },
    { from: 30, to: null },
  ];
  test.each<readonly [string, intervals: Billed, values: Values, cut: Cut]>([
    ['are none if nothing is billed', [], [{ at: 1, value: 'eu' }], []],
    [
      'have no value if no fact says one',
      twice,
      [],
      [
        [10, 20, null],
        [30, null, null],
      ],
    ],
    [
      'have the last value that was set before',
      twice,
      [
        { at: 5, value: 'eu' },
        { at: 9, value: 'us' },
        { at: 25, value: 'asia' },
      ],
      [
        [10, 20, 'us'],
        [30, null, 'asia'],
      ],
    ],
    [
      'have the value that is set at their start',
      [{ from: 10, to: 20 }],
      [{ at: 10, value: 'eu' }],
      [[10, 20, 'eu']],
    ],
    [
      'do not have the value that is set at their end',
      [{ from: 10, to: 20 }],
      [{ at: 20, value: 'eu' }],
      [[10, 20, null]],
    ],
    [
      'are cut at each change inside, and lose a value that is taken away',
      twice,
      [
        { at: 11, value: 'eu' },
        { at: 19, value: null },
        { at: 20, value: 'us' },
        { at: 40, value: 'asia' },
      ],
      [
        [10, 11, null],
        [11, 19, 'eu'],
        [19, 20, null],
        [30, 40, 'us'],
        [40, null, 'asia'],
      ],
    ],
  ])('%s', (_, intervals, values, cut) => {
    expect(groupedIntervals(intervals, values)).toEqual(
      cut.map(([from, to, value]) => ({ from, to, value })),
    );
  });
});

test('usage by group is listed in order of the values, without a value first', () => {
  const { usage } = usageOf([], { from: 0, to: 10 });
  expect(
    groupsInOrder([
      ['us', usage],
      [null, usage],
      ['eu', usage],
    ]),
  ).toEqual([
    { value: null, ...usage },
    { value: 'eu', ...usage },
    { value: 'us', ...usage },
  ]);
});
