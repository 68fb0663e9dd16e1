import { describe, expect, test } from 'vitest';
import {
  ACCOUNT,
  BILLABLE,
  BillingState,
  compareChanges,
  DELETED,
  REGISTERED,
  RESUMES,
  STOPS,
  type StateChange,
  sweep,
  TYPE,
} from '../../../src/domain/billing/sweep.ts';

type Change = StateChange<string>;
type Span = readonly [from: number, to: number, account: string, type: string | null, by: readonly number[]];

const FOREVER = Number.POSITIVE_INFINITY;
const change = (at: number, kind: number, setBy: number, more: Partial<Change> = {}): Change => ({
  at,
  kind,
  setBy,
  ...more,
});
const registered = [change(10, ACCOUNT, 1, { id: 'acme' }), change(10, REGISTERED, 1)];

/** Spans as tuples, to be read at a glance. */
const spansOf = (
  state: BillingState<string>,
  open: Parameters<typeof sweep<string>>[1],
  changes: Change[],
): Span[] =>
  sweep(state, open, changes).map(({ from, to, account, type, openedBy, closedBy }) => [
    from,
    to,
    account,
    type,
    [openedBy, closedBy],
  ]);

test('changes are sorted by time, at one instant by kind, and of one kind by cause', () => {
  const sorted = [
    change(10, RESUMES, 1, { cause: 2 }),
    change(10, STOPS, 2, { cause: 0 }),
    change(10, STOPS, 3, { cause: 1 }),
    change(10, BILLABLE, 4),
    change(10, TYPE, 5),
    change(10, ACCOUNT, 6),
    change(10, REGISTERED, 7),
    change(10, DELETED, 8),
    change(11, RESUMES, 9),
  ];
  expect(sorted.toReversed().sort(compareChanges)).toEqual(sorted);
  expect(compareChanges(change(10, STOPS, 1), change(10, STOPS, 2, { cause: 1 }))).toBe(-1);
  expect(compareChanges(change(10, STOPS, 1, { cause: 1 }), change(10, STOPS, 2))).toBe(1);
  expect(compareChanges(change(10, DELETED, 1), change(10, DELETED, 2))).toBe(0);
});

describe('the state of a cluster', () => {
  test('is billed once it is registered, and without an account or a type before they are set', () => {
    const state = new BillingState<string>();
    expect([state.isBilled, state.account, state.type]).toEqual([false, undefined, null]);
    expect(state.apply(change(10, REGISTERED, 1))).toBe(true);
    expect([state.isBilled, state.account, state.type]).toEqual([true, undefined, null]);
  });

  test('is different after a change only if the change sets something else', () => {
    const state = new BillingState<string>();
    const changes: readonly (readonly [Change, isDifferent: boolean, isBilled: boolean])[] = [
      [change(1, RESUMES, 1, { cause: 1 }), false, false],
      [change(1, REGISTERED, 1), true, true],
      [change(1, BILLABLE, 1, { billable: true }), false, true],
      [change(2, BILLABLE, 1, { billable: false }), true, false],
      [change(2, BILLABLE, 1, { billable: false }), false, false],
      [change(3, BILLABLE, 1, { billable: true }), true, true],
      [change(4, STOPS, 1, { cause: 1 }), true, false],
      [change(4, STOPS, 1, { cause: 1 }), false, false],
      [change(4, STOPS, 1, { cause: 0 }), true, false],
      [change(4, RESUMES, 1, { cause: 2 }), false, false],
      [change(5, RESUMES, 1, { cause: 1 }), true, false],
      [change(5, RESUMES, 1, { cause: 1 }), false, false],
      [change(6, RESUMES, 1, { cause: 0 }), true, true],
      [change(7, TYPE, 1, { id: 'mgmt' }), true, true],
      [change(7, TYPE, 1, { id: 'mgmt' }), false, true],
      [change(7, ACCOUNT, 1, { id: 'acme' }), true, true],
      [change(7, ACCOUNT, 1, { id: 'acme' }), false, true],
      [change(8, DELETED, 1), true, false],
    ];
    for (const [one, isDifferent, isBilled] of changes)
      expect([state.apply(one), state.isBilled], `${one.kind} at ${one.at}`).toEqual([isDifferent, isBilled]);
    expect([state.account, state.type]).toEqual(['acme', 'mgmt']);
  });
});

describe('the billed spans of a cluster', () => {
  test.each<readonly [string, changes: Change[], spans: readonly Span[]]>([
    ['are none without changes', [], []],
    ['are none without a registration', [change(10, ACCOUNT, 1, { id: 'acme' })], []],
    ['go on while nothing ends them', registered, [[10, FOREVER, 'acme', null, [1, FOREVER]]]],
    ['end with the deletion', [...registered, change(20, DELETED, 2)], [[10, 20, 'acme', null, [1, 2]]]],
    [
      'are none if a deletion is at the instant of the registration',
      [...registered, change(10, DELETED, 2)],
      [],
    ],
    [
      'go on if a change sets what is set already',
      [...registered, change(20, ACCOUNT, 2, { id: 'acme' }), change(21, RESUMES, 3, { cause: 0 })],
      [[10, FOREVER, 'acme', null, [1, FOREVER]]],
    ],
    [
      'are cut when the type changes',
      [...registered, change(20, TYPE, 2, { id: 'mgmt' })],
      [
        [10, 20, 'acme', null, [1, 2]],
        [20, FOREVER, 'acme', 'mgmt', [2, FOREVER]],
      ],
    ],
    [
      'are cut when the account changes',
      [...registered, change(20, ACCOUNT, 2, { id: 'globex' })],
      [
        [10, 20, 'acme', null, [1, 2]],
        [20, FOREVER, 'globex', null, [2, FOREVER]],
      ],
    ],
    [
      'name the last change that made a difference, not a later one at the same instant that made none',
      [
        ...registered,
        change(20, STOPS, 2, { cause: 0 }),
        change(20, BILLABLE, 3, { billable: false }),
        change(20, ACCOUNT, 4, { id: 'acme' }),
        change(30, RESUMES, 5, { cause: 0 }),
        change(30, BILLABLE, 6, { billable: true }),
        change(30, ACCOUNT, 7, { id: 'acme' }),
      ],
      [
        [10, 20, 'acme', null, [1, 3]],
        [30, FOREVER, 'acme', null, [6, FOREVER]],
      ],
    ],
    [
      'have the account and type that were set while the cluster was not billed',
      [
        ...registered,
        change(20, STOPS, 2, { cause: 0 }),
        change(22, ACCOUNT, 3, { id: 'globex' }),
        change(23, TYPE, 4, { id: 'mgmt' }),
        change(30, RESUMES, 5, { cause: 0 }),
      ],
      [
        [10, 20, 'acme', null, [1, 2]],
        [30, FOREVER, 'globex', 'mgmt', [5, FOREVER]],
      ],
    ],
  ])('%s', (_, changes, spans) => {
    expect(spansOf(new BillingState(), undefined, changes)).toEqual(spans);
  });

  test('go on from an open span, and from the state before the first change', () => {
    const state = new BillingState<string>();
    const [open] = sweep(state, undefined, registered);
    expect(spansOf(state, open, [])).toEqual([[10, FOREVER, 'acme', null, [1, FOREVER]]]);
    expect(spansOf(state, open, [change(20, STOPS, 2, { cause: 0 })])).toEqual([
      [10, 20, 'acme', null, [1, 2]],
    ]);
    expect(spansOf(state, undefined, [change(30, RESUMES, 3, { cause: 0 })])).toEqual([
      [30, FOREVER, 'acme', null, [3, FOREVER]],
    ]);
  });
});
