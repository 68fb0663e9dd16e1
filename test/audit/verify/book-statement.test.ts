import { describe, expect, test } from 'vitest';
import { adjustmentOf, statementOf } from '../../../src/audit/verify/book-statement.ts';
import { type Breakdown, measure, noUsage } from '../../../src/audit/verify/measures.ts';
import { monthOf } from '../../../src/audit/verify/months.ts';
import { day } from './billing-facts.ts';

/** The usage of January by clusters that are billed for spans of days, each as a type. */
const january = (...clusters: [from: string, to: string, clusterType: string | null][]): Breakdown =>
  measure(
    clusters.map(([from, to, clusterType]) => [
      { from: day(from), to: day(to), accountId: 'acme', clusterType },
    ]),
    ...monthOf('2026-01'),
  );
const nothing = noUsage(...monthOf('2026-01'));
const february = { period: '2026-02', watermark: 12 };

/** A cluster that was billed for 2 days and is billed for 1 now. */
const two = january(['2026-01-01', '2026-01-03', 'a']);
const one = january(['2026-01-01', '2026-01-02', 'a']);
const amounts = (billableClusters: number, clusterSeconds: string) => ({ billableClusters, clusterSeconds });

describe('an adjustment', () => {
  test('has the usage before and after, what it adds, and the facts that are the cause', () => {
    const change = { before: two.usage, after: one.usage, delta: amounts(0, '-86400.000') };
    expect(adjustmentOf('2026-01', two, one, ['e1', 'e2'])).toEqual({
      period: '2026-01',
      ...change,
      byType: [{ clusterType: 'a', ...change }],
      facts: ['e1', 'e2'],
    });
  });

  test('is not there if nothing changed', () => {
    expect(adjustmentOf('2026-01', one, one, ['e1'])).toBeUndefined();
    const empty = january();
    expect(adjustmentOf('2026-01', empty, empty, [])).toBeUndefined();
  });

  test('has two lines and no amount if a cluster had another type', () => {
    const other = january(['2026-01-01', '2026-01-02', 'b']);
    expect(adjustmentOf('2026-01', one, other, ['e1'])).toEqual({
      period: '2026-01',
      before: one.usage,
      after: one.usage,
      delta: amounts(0, '0.000'),
      byType: [
        { clusterType: 'a', before: one.usage, after: nothing, delta: amounts(-1, '-86400.000') },
        { clusterType: 'b', before: nothing, after: one.usage, delta: amounts(1, '86400.000') },
      ],
      facts: ['e1'],
    });
  });

  test('has no line of a type that did not change', () => {
    const both = january(['2026-01-01', '2026-01-02', 'a'], ['2026-01-05', '2026-01-06', null]);
    const line = adjustmentOf('2026-01', one, both, []);
    expect(line?.byType.map(({ clusterType }) => clusterType)).toEqual([null]);
  });

  test('has no line of a type if only clusters of different types were billed at once', () => {
    const apart = january(['2026-01-02', '2026-01-03', 'a'], ['2026-01-05', '2026-01-06', 'b']);
    const together = january(['2026-01-05', '2026-01-06', 'a'], ['2026-01-05', '2026-01-06', 'b']);
    expect(adjustmentOf('2026-01', apart, together, ['e1'])).toEqual({
      period: '2026-01',
      before: apart.usage,
      after: together.usage,
      delta: amounts(0, '0.000'),
      byType: [],
      facts: ['e1'],
    });
  });

  test('adds nothing if a peak alone changed', () => {
    const apart = january(['2026-01-02', '2026-01-03', 'a'], ['2026-01-05', '2026-01-06', 'a']);
    const together = january(['2026-01-05', '2026-01-06', 'a'], ['2026-01-05', '2026-01-06', 'a']);
    expect(adjustmentOf('2026-01', apart, together, ['e1'])).toMatchObject({
      before: { peakClusters: 1 },
      after: { peakClusters: 2 },
      delta: amounts(0, '0.000'),
    });
  });
});

describe('a statement', () => {
  test('has the usage of its period, and the total of that and all adjustments, whole and by type', () => {
    const other = january(['2026-01-01', '2026-01-02', 'b']);
    const line = adjustmentOf('2026-01', two, other, ['e1']);
    const adjustments = line === undefined ? [] : [line];
    expect(statementOf('acme', february, one, adjustments)).toEqual({
      statementId: 'st_ap3irant2sxpdd4cdvnnlvp6d7',
      accountId: 'acme',
      period: '2026-02',
      watermark: '12',
      usage: one.usage,
      byType: one.byType,
      adjustments,
      total: {
        ...amounts(1, '0.000'),
        byType: [
          { clusterType: 'a', ...amounts(0, '-86400.000') },
          { clusterType: 'b', ...amounts(1, '86400.000') },
        ],
      },
    });
  });

  test('is not there for an account that was not billed and has no adjustment', () => {
    expect(statementOf('acme', february, january(), [])).toBeUndefined();
  });

  test('is there for an account that was billed, or has an adjustment', () => {
    expect(statementOf('acme', february, one, [])).toMatchObject({ total: amounts(1, '86400.000') });
    const line = adjustmentOf('2026-01', one, january(), []);
    expect(statementOf('acme', february, january(), line === undefined ? [] : [line])).toMatchObject({
      usage: { billableClusters: 0 },
      total: amounts(-1, '-86400.000'),
    });
  });
});
