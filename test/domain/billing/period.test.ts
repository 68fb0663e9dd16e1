import { describe, expect, test } from 'vitest';
import {
  adjustablePeriods,
  DEFAULT_GRACE_MS,
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

const GRACE_MS = 72 * 3_600_000;
const since = (firstBilled?: string, lastClosed?: string, begun?: string, firstClosed = lastClosed) => ({
  firstClosed,
  lastClosed,
  begun,
  firstBilledAt: firstBilled === undefined ? undefined : at(firstBilled),
});
const on = (now: string, early = false) => ({ now: at(now), early, graceMs: GRACE_MS });

describe('a period', () => {
  test('waits 72 hours for late facts, unless another time is set', () => {
    expect(DEFAULT_GRACE_MS).toBe(GRACE_MS);
  });

  test('is open, then due 72 hours after its end, then closed', () => {
    expect(dueAt('2026-01', GRACE_MS)).toBe(at('2026-02-04'));
    expect(periodState('2026-01', false, at('2026-01-15'), GRACE_MS)).toBe('open');
    expect(periodState('2026-01', false, at('2026-02-04') - 1, GRACE_MS)).toBe('open');
    expect(periodState('2026-01', false, at('2026-02-04'), GRACE_MS)).toBe('due');
    expect(periodState('2026-01', true, at('2026-02-04'), GRACE_MS)).toBe('closed');
  });

  test('is next to close if it is the first billed one, or if it follows the last closed one', () => {
    expect(nextToClose(since())).toBeUndefined();
    expect(nextToClose(since('2025-12-31'))).toBe('2025-12');
    expect(nextToClose(since('2024-01-01', '2025-12'))).toBe('2026-01');
  });

  test('cannot be closed before its end, during the grace unless early, or out of order', () => {
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

  test.each<
    readonly [string, calendar: ReturnType<typeof since>, next: string | undefined, mayBegin: boolean]
  >([
    ['nothing was ever billed', since(), undefined, false],
    ['an earlier one was billed', since('2025-12-31'), '2025-12', true],
    ['only a later one was billed', since('2026-02-01'), '2026-02', false],
    ['an earlier one follows the last closed one', since('2025-01-01', '2025-10'), '2025-11', false],
    ['statements begin with an earlier one', since('2025-01-01', undefined, '2025-12'), '2025-12', false],
  ])(
    'is not the next if %s, and says whether statements may begin with it',
    (_, calendar, next, mayBegin) => {
      expect(rejectionOfClose('2026-01', calendar, on('2026-05-01'))).toEqual({
        code: 'period-not-next',
        period: '2026-01',
        next,
        mayBegin,
      });
    },
  );

  test('says when it ends or is due if it cannot be closed yet', () => {
    const january = since('2026-01-10');
    expect(rejectionOfClose('2026-01', january, on('2026-01-20'))).toEqual({
      code: 'period-not-ended',
      period: '2026-01',
      endsAt: at('2026-02-01'),
    });
    expect(rejectionOfClose('2026-01', january, on('2026-02-01'))).toEqual({
      code: 'period-in-grace',
      period: '2026-01',
      dueAt: at('2026-02-04'),
    });
  });

  test('is the first to close if statements begin with it, whatever was billed before', () => {
    expect(nextToClose(since('2021-05-04', undefined, '2026-10'))).toBe('2026-10');
    expect(nextToClose(since(undefined, undefined, '2026-10'))).toBe('2026-10');
    expect(nextToClose(since('2021-05-04', '2026-10', '2026-10'))).toBe('2026-11');
  });

  test('is listed if it lies between the first with statements and the later of the present and the last closed one', () => {
    const listed = (now: string, calendar: ReturnType<typeof since>) => periodsUpTo(at(now), calendar);
    expect(listed('2026-02-10', since())).toEqual([]);
    expect(listed('2026-02-10', since('2025-12-31'))).toEqual(['2025-12', '2026-01', '2026-02']);
    expect(listed('2026-02-10', since('2025-12-31', '2026-01'))).toEqual(['2026-01', '2026-02']);
    expect(listed('2026-02-28', since('2026-03-01'))).toEqual(['2026-03']);
    expect(listed('2026-02-10', since('2021-05-04', undefined, '2026-01'))).toEqual(['2026-01', '2026-02']);
    expect(listed('2026-01-10', since('2026-01-01', '2026-02', undefined, '2026-01'))).toEqual([
      '2026-01',
      '2026-02',
    ]);
  });

  test('may be adjusted from the earliest billed one on, or from the beginning of statements if there is one', () => {
    const closed = ['2026-03', '2026-04'];
    const of = ({ begun, firstBilledAt }: ReturnType<typeof since>) =>
      adjustablePeriods(closed, { begun, firstBilledAt });
    expect(of(since('2026-01-10'))).toEqual(['2026-01', '2026-02', '2026-03', '2026-04']);
    expect(of(since('2026-03-10'))).toEqual(closed);
    expect(of(since('2026-01-10', undefined, '2026-03'))).toEqual(closed);
    expect(adjustablePeriods([], since('2026-01-10'))).toEqual([]);
  });
});

describe('a closing', () => {
  const close: PeriodClosing = {
    period: '2026-01',
    watermark: 17,
    accounts: 2,
    totals: { billableClusters: -1, clusterSeconds: '-0.001' },
    statementsDigest: 'ab',
    rules: 2,
  };

  test('is parsed as it was recorded', () => {
    const { type, data } = serializeClosing(close);
    expect(periodStream('2026-01')).toBe('period-2026-01');
    expect(parseClosing('2026-01', type, data)).toEqual(close);
  });

  test('has version 1 of the rules if the first release recorded it', () => {
    const { type, data } = serializeClosing(close);
    const { rules: _, ...former } = data;
    expect(parseClosing('2026-01', type, former)).toEqual({ ...close, rules: 1 });
  });

  test.each([
    ['of a later version', 'PeriodClosed.v2', {}, 'PeriodClosed.v2 is not known'],
    ['of another period', 'PeriodClosed', { period: '2026-02' }, 'names another period than its stream'],
    ['without a watermark', 'PeriodClosed', { watermark: '01' }, 'has no readable watermark'],
    ['with a number as watermark', 'PeriodClosed', { watermark: 12 }, 'has no readable watermark'],
    ['with a watermark of 16 digits', 'PeriodClosed', { watermark: '1'.repeat(16) }, 'readable watermark'],
    ['with a text around the watermark', 'PeriodClosed', { watermark: '12 ' }, 'has no readable watermark'],
    ['without accounts', 'PeriodClosed', { accounts: 'two' }, 'does not say how many accounts'],
    ['without totals', 'PeriodClosed', { totals: null }, 'has no readable totals'],
    [
      'with totals that are none',
      'PeriodClosed',
      { totals: { billableClusters: 1, clusterSeconds: '1' } },
      'has no readable totals',
    ],
    [
      'with a part of a cluster in its totals',
      'PeriodClosed',
      { totals: { billableClusters: 1.5, clusterSeconds: '1.000' } },
      'PeriodClosed has no readable totals',
    ],
    ['without a digest', 'PeriodClosed', { statementsDigest: 7 }, 'has no digest'],
    ['without rules', 'PeriodClosed', { rules: 'x' }, 'has no readable version of the rules'],
  ])('is unreadable %s', (_, type, wrong, why) => {
    const { data } = serializeClosing(close);
    expect(() => parseClosing('2026-01', type, { ...data, ...wrong })).toThrow(why);
  });

  test('is stored with its watermark as text', () => {
    expect(serializeClosing(close)).toEqual({
      type: 'PeriodClosed',
      data: { ...close, watermark: '17' },
    });
  });

  test('is unreadable for a month that does not exist', () => {
    const { type, data } = serializeClosing({ ...close, period: '2026-13' });
    expect(() => parseClosing('2026-13', type, data)).toThrow(
      'PeriodClosed names another period than its stream',
    );
  });

  test('is readable at the first position of the log', () => {
    const { type, data } = serializeClosing({ ...close, watermark: 0 });
    expect(parseClosing('2026-01', type, data).watermark).toBe(0);
  });

  test('is readable with a watermark of 15 digits', () => {
    const { type, data } = serializeClosing(close);
    expect(parseClosing('2026-01', type, { ...data, watermark: '9'.repeat(15) }).watermark).toBe(
      10 ** 15 - 1,
    );
  });
});
