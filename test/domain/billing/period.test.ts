import { describe, expect, test } from 'vitest';
import {
  dueAt,
  nextToClose,
  type PeriodClosing,
  parseClosing,
  periodState,
  periodsUpTo,
  rejectionOfClose,
  serializeClosing,
} from '../../../src/domain/billing/period.ts';
import { periodStream } from '../../../src/domain/stream-table.ts';
import { at } from '../facts/facts.ts';

const since = (firstFact?: string, lastClosed?: string) => ({
  lastClosed,
  firstFactAt: firstFact === undefined ? undefined : at(firstFact),
});
const on = (now: string, early = false) => ({ now: at(now), early });

describe('a period', () => {
  test('is open, then due 72 hours after its end, then closed', () => {
    expect(dueAt('2026-01')).toBe(at('2026-02-04'));
    expect(periodState('2026-01', false, at('2026-01-15'))).toBe('open');
    expect(periodState('2026-01', false, at('2026-02-04') - 1)).toBe('open');
    expect(periodState('2026-01', false, at('2026-02-04'))).toBe('due');
    expect(periodState('2026-01', true, at('2026-02-04'))).toBe('closed');
  });

  test('is next to close where it is the first with a fact, and then one after the other', () => {
    expect(nextToClose(since())).toBeUndefined();
    expect(nextToClose(since('2025-12-31'))).toBe('2025-12');
    expect(nextToClose(since('2024-01-01', '2025-12'))).toBe('2026-01');
  });

  test('cannot be closed before it has ended, in the grace unless early, or out of order', () => {
    const january = since('2026-01-10');
    const refusal = (period: string, calendar: typeof january, when: ReturnType<typeof on>) =>
      rejectionOfClose(period, calendar, when)?.code;
    expect(refusal('2026-01', january, on('2026-01-31T23:59:59.999Z', true))).toBe('period-not-ended');
    expect(refusal('2026-01', january, on('2026-02-01'))).toBe('period-in-grace');
    expect(refusal('2026-01', january, on('2026-02-03T23:59:59.999Z'))).toBe('period-in-grace');
    expect(refusal('2026-01', january, on('2026-02-01', true))).toBeUndefined();
    expect(refusal('2026-01', january, on('2026-02-04'))).toBeUndefined();
    expect(rejectionOfClose('2026-02', january, on('2026-05-01'))).toMatchObject({
      code: 'period-not-next',
      next: '2026-01',
    });
    expect(rejectionOfClose('2025-12', since('2025-12-01', '2026-01'), on('2026-05-01'))).toMatchObject({
      code: 'period-not-next',
      next: '2026-02',
    });
    expect(refusal('2026-01', since(), on('2026-05-01'))).toBe('period-not-next');
  });

  test('is listed from the first that was closed, or has a fact, to the present one', () => {
    expect(periodsUpTo(at('2026-02-10'), undefined, since())).toEqual([]);
    expect(periodsUpTo(at('2026-02-10'), undefined, since('2025-12-31'))).toEqual([
      '2025-12',
      '2026-01',
      '2026-02',
    ]);
    expect(periodsUpTo(at('2026-02-10'), '2026-01', since('2025-12-31'))).toEqual(['2026-01', '2026-02']);
    expect(periodsUpTo(at('2026-02-28'), undefined, since('2026-03-01'))).toEqual(['2026-03']);
  });
});

describe('a closing', () => {
  const close: PeriodClosing = {
    period: '2026-01',
    watermark: 17,
    accounts: 2,
    totals: { billableClusters: -1, clusterSeconds: '-0.001' },
    statementsDigest: 'ab',
  };

  test('is read as it was recorded', () => {
    const { type, data } = serializeClosing(close);
    expect(periodStream('2026-01')).toBe('period-2026-01');
    expect(parseClosing('2026-01', type, data)).toEqual(close);
  });

  test.each([
    ['of a later version', 'PeriodClosed.v2', {}],
    ['of another period', 'PeriodClosed', { period: '2026-02' }],
    ['without a watermark', 'PeriodClosed', { watermark: '01' }],
    ['without accounts', 'PeriodClosed', { accounts: 'two' }],
    ['without totals', 'PeriodClosed', { totals: null }],
    ['with totals that are none', 'PeriodClosed', { totals: { billableClusters: 1, clusterSeconds: '1' } }],
    ['without a digest', 'PeriodClosed', { statementsDigest: 7 }],
  ])('%s is not read at all', (_, type, wrong) => {
    const { data } = serializeClosing(close);
    expect(() => parseClosing('2026-01', type, { ...data, ...wrong })).toThrow();
  });
});
