import { describe, expect, test } from 'vitest';
import {
  type ClusterBill,
  clusterUsage,
  multiply,
  PricePerHour,
} from '../../../src/domain/kubefirst/cluster-usage.ts';
import { DAY_MS, HOUR_MS } from '../../../src/domain/time.ts';

const APRIL = Date.parse('2026-04-01T00:00:00Z');
const WINDOW = { from: APRIL, to: APRIL + 30 * DAY_MS };
const bill = (more: Partial<ClusterBill> = {}): ClusterBill => ({
  clusterId: 'mmmmmm.wwwwww.one.1775001600',
  name: 'one',
  clusterType: 'workload',
  isActive: true,
  domainName: 'one.acme.example',
  environment: 'production',
  registeredAt: APRIL + DAY_MS,
  deletedAt: undefined,
  intervals: [
    {
      from: APRIL + DAY_MS,
      to: APRIL + DAY_MS + 36 * HOUR_MS,
      openedBy: 1,
      closedBy: 2,
      accountId: 'acme',
      clusterType: 'workload',
    },
  ],
  ...more,
});

describe('the usage of a cluster on the billing page', () => {
  test('has its properties, its hours and their price', () => {
    expect(clusterUsage([bill()], WINDOW, '0.5')).toEqual([
      {
        clusterName: 'one',
        clusterID: 'wwwwww',
        clusterType: 'workload',
        isActive: true,
        domainName: 'one.acme.example',
        environment: 'production',
        createdAt: '2026-04-02T00:00:00.000Z',
        deletedAt: null,
        hours: '36.000000',
        total: '18.00',
      },
    ]);
  });

  test('has null for all that is unknown, and the id in the ledger if the cluster is not one of Kubefirst', () => {
    const unknown = { clusterType: undefined, domainName: undefined, environment: undefined };
    const other = bill({ ...unknown, clusterId: 'c1', isActive: false, deletedAt: APRIL + 3 * DAY_MS });
    expect(clusterUsage([other], WINDOW, undefined)).toEqual([
      {
        clusterName: 'one',
        clusterID: 'c1',
        clusterType: null,
        isActive: false,
        domainName: null,
        environment: null,
        createdAt: '2026-04-02T00:00:00.000Z',
        deletedAt: '2026-04-04T00:00:00.000Z',
        hours: '36.000000',
        total: null,
      },
    ]);
  });

  const early = { registeredAt: APRIL - DAY_MS };
  test.each([
    ['registered in the window', {}, true],
    ['registered in its last millisecond', { registeredAt: WINDOW.to - 1 }, true],
    ['registered at its end', { registeredAt: WINDOW.to }, false],
    ['registered before it and never deleted', early, true],
    ['deleted in its first millisecond', { ...early, deletedAt: APRIL + 1 }, true],
    ['deleted at its start', { ...early, deletedAt: APRIL }, false],
    ['deleted before it', { ...early, deletedAt: APRIL - 1 }, false],
  ])('is shown if the cluster was there: %s', (_, more, isShown) => {
    expect(clusterUsage([bill(more)], WINDOW, undefined)).toHaveLength(isShown ? 1 : 0);
  });

  test('is not shown for a window that has not begun', () => {
    const always = bill({ registeredAt: APRIL - DAY_MS });
    expect(clusterUsage([always], { from: APRIL, to: APRIL }, undefined)).toEqual([]);
    expect(clusterUsage([always], { from: APRIL, to: APRIL - 1 }, undefined)).toEqual([]);
    expect(clusterUsage([always], { from: APRIL, to: APRIL + 1 }, undefined)).toHaveLength(1);
  });
});

test.each([
  ['2', '3', '6.00'],
  ['2.5', '3', '7.50'],
  ['2', '0.125', '0.25'],
  ['0.1', '0.05', '0.00'],
  ['0.1', '0.15', '0.02'],
])('%s hours at a price of %s are %s', (hours, price, total) => {
  expect(multiply(hours, price)).toBe(total);
});

test('a price in another form is refused with an example', () => {
  expect(PricePerHour.safeParse('1e3').error?.issues[0]?.message).toBe(
    'must be a decimal number such as 0.125, with at most 9 decimal places',
  );
});
