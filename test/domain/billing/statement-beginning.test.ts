import { describe, expect, test } from 'vitest';
import { parseBeginning, rejectBeginning } from '../../../src/domain/billing/statement-beginning.ts';

describe('the beginning of billing', () => {
  const data = { period: '2026-03', reason: 'charged by the former system' };

  test('is read with its period and reason', () => {
    expect(parseBeginning('BillingBegan', data)).toEqual(data);
    expect(parseBeginning('BillingBegan', { period: '2026-03' })).toEqual({ period: '2026-03', reason: '' });
  });

  test.each([
    ['of a later version', 'BillingBegan.v2', data, 'BillingBegan.v2 is not known'],
    ['without a period', 'BillingBegan', {}, 'BillingBegan has no readable period'],
    ['of a month that does not exist', 'BillingBegan', { period: '2026-13' }, 'no readable period'],
    ['of a list', 'BillingBegan', { period: ['2026-03'] }, 'no readable period'],
    ['of a number', 'BillingBegan', { period: 202_603 }, 'no readable period'],
  ])('is unreadable %s', (_, type, recorded, why) => {
    expect(() => parseBeginning(type, recorded)).toThrow(why);
  });

  test('can be decided once, and only before a period is closed', () => {
    const never = { begun: undefined, firstClosed: undefined };
    expect(rejectBeginning('2026-03', never)).toBeUndefined();
    expect(rejectBeginning('2026-03', { ...never, begun: '2026-01' })).toEqual({
      code: 'billing-already-begun',
      period: '2026-03',
      begun: '2026-01',
    });
    expect(rejectBeginning('2026-03', { ...never, firstClosed: '2026-02' })).toEqual({
      code: 'billing-already-closed',
      period: '2026-03',
      firstClosed: '2026-02',
    });
  });
});
