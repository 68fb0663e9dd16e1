import { describe, expect, test } from 'vitest';
import type { BillingFact } from '../../../src/domain/billing/billing.ts';
import { countedIntervals, whyNotBilled } from '../../../src/domain/billing/explanation.ts';
import { at, bill, changed, deleted, registered, resumed, stopped } from '../facts/facts.ts';

const window = (from: string, to: string) => ({ from: at(from), to: at(to) });
const week = window('2026-01-10', '2026-01-17');

describe('a cluster of which nothing is billed to acme from 10 to 17 January', () => {
  const why = (...facts: readonly BillingFact[]) => whyNotBilled(bill(...facts), 'acme', week);
  const free = { billable: false };

  test.each<readonly [reason: string, story: string, facts: readonly BillingFact[]]>([
    ['orphan', 'it was never registered', [deleted('2026-01-05')]],
    ['other-account', 'it belongs to globex', [registered('2026-01-01', { accountId: 'globex' })]],
    [
      'other-account',
      'acme gave it away at the first instant of the window',
      [registered('2026-01-01'), changed('2026-01-10', { accountId: 'globex' })],
    ],
    [
      'other-account',
      'acme gets it at the end of the window',
      [registered('2026-01-01', { accountId: 'globex' }), changed('2026-01-17', { accountId: 'acme' })],
    ],
    [
      'other-account',
      'acme had it for a day before the window',
      [
        registered('2026-01-01', { accountId: 'globex' }),
        changed('2026-01-03', { accountId: 'acme' }),
        changed('2026-01-04', { accountId: 'globex' }),
      ],
    ],
    ['deleted-before', 'it was deleted before', [registered('2026-01-01'), deleted('2026-01-05')]],
    [
      'deleted-before',
      'it was deleted at the first instant of the window',
      [registered('2026-01-01'), deleted('2026-01-10')],
    ],
    [
      'deleted-before',
      'it was deleted as it was registered, in the window',
      [registered('2026-01-12'), deleted('2026-01-12')],
    ],
    ['not-yet', 'it is registered at the end of the window', [registered('2026-01-17')]],
    ['not-yet', 'it is registered after the window', [registered('2026-02-01')]],
    ['stopped', 'it was stopped before', [registered('2026-01-01'), stopped('2026-01-05')]],
    [
      'stopped',
      'it was stopped while acme had it for two days of the window',
      [
        registered('2026-01-01', { accountId: 'globex' }),
        stopped('2026-01-05'),
        changed('2026-01-12', { accountId: 'acme' }),
        changed('2026-01-14', { accountId: 'globex' }),
      ],
    ],
    [
      'stopped',
      'it is billable from the first instant of the window, and stopped',
      [registered('2026-01-01', free), stopped('2026-01-05'), changed('2026-01-10', { billable: true })],
    ],
    [
      'stopped',
      'it is billable for a day of the window, and stopped',
      [
        registered('2026-01-01', free),
        stopped('2026-01-05'),
        changed('2026-01-12', { billable: true }),
        changed('2026-01-13', { billable: false }),
      ],
    ],
    ['free', 'it is free', [registered('2026-01-01', free)]],
    [
      'free',
      'it was billable before the window',
      [registered('2026-01-01'), changed('2026-01-10', { billable: false })],
    ],
    [
      'free',
      'it was billable for a day before the window',
      [
        registered('2026-01-01', free),
        changed('2026-01-03', { billable: true }),
        changed('2026-01-04', { billable: false }),
      ],
    ],
    [
      'free',
      'it is billable from the end of the window on',
      [registered('2026-01-01', free), changed('2026-01-17', { billable: true })],
    ],
    [
      'free',
      'it would be billable after its deletion in the window',
      [registered('2026-01-01', free), deleted('2026-01-12'), changed('2026-01-12', { billable: true })],
    ],
  ])('is %s if %s', (reason, _, facts) => {
    expect(why(...facts)).toBe(reason);
  });

  test('is stopped if no fact says whether it is free, and a cause stops its billing', () => {
    const { billable: _, ...unsaid } = registered('2026-01-01');
    expect(whyNotBilled(bill(unsaid, stopped('2026-01-05')), 'acme', week)).toBe('stopped');
  });

  test('is empty-window if the window is empty', () => {
    const billing = bill(registered('2026-01-01'));
    expect(whyNotBilled(billing, 'acme', window('2026-01-10', '2026-01-10'))).toBe('empty-window');
  });

  test('is other-account, also if the window is empty', () => {
    const billing = bill(registered('2026-01-01', { accountId: 'globex' }));
    expect(whyNotBilled(billing, 'acme', window('2026-01-10', '2026-01-10'))).toBe('other-account');
  });
});

describe('the parts of billed intervals inside a window', () => {
  test('are cut at its ends, name the facts that opened and closed them, and leave out what is outside', () => {
    const { intervals } = bill(
      registered('2026-01-01', { clusterType: 'workload' }),
      stopped('2026-01-12'),
      resumed('2026-01-14'),
      stopped('2026-01-17'),
      resumed('2026-01-17'),
      stopped('2026-01-20'),
    );
    const part = (from: string, to: string, openedBy: number, closedBy: number | null) => ({
      ...window(from, to),
      openedBy,
      closedBy,
      clusterType: 'workload',
    });
    const counted = countedIntervals(intervals, week);
    expect(counted[0]).toEqual(part('2026-01-10', '2026-01-12', 1, 2));
    expect(counted[1]).toMatchObject(window('2026-01-14', '2026-01-17'));
    expect(counted).toHaveLength(2);
    expect(countedIntervals(intervals, window('2026-01-12', '2026-01-14'))).toEqual([]);
  });

  test('reach the end of the window while the cluster is billed', () => {
    const { intervals } = bill(registered('2026-01-12'));
    expect(countedIntervals(intervals, week)).toEqual([
      { ...window('2026-01-12', '2026-01-17'), openedBy: 1, closedBy: null, clusterType: null },
    ]);
  });
});
