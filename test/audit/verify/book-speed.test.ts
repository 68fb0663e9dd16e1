import { expect, test } from 'vitest';
import { Book } from '../../../src/audit/verify/book.ts';
import { monthOf } from '../../../src/audit/verify/months.ts';
import { idAt } from '../../support/models.ts';
import { PERIODS } from '../../support/random-logs.ts';

test('1,000 clusters with 100,000 facts are computed for three closes within seconds', () => {
  const book = new Book();
  const [from] = monthOf('2026-01');
  const base = {
    clusterType: undefined,
    billable: undefined,
    accountId: undefined,
    cause: undefined,
    voids: undefined,
  };
  for (let i = 0; i < 100_000; i++) {
    const cluster = i % 1_000;
    const isFirst = i < 1_000;
    const isSwitch = i % 3 > 0;
    book.add({
      ...base,
      eventId: idAt(i + 1),
      position: i + 1,
      clusterId: `c${cluster}`,
      at: from + ((i * 7_919) % 5_000_000) * 1_000 - (isFirst ? 8_000_000_000 : 0),
      type: isFirst ? 'registered' : isSwitch ? (i % 2 === 0 ? 'stopped' : 'resumed') : 'changed',
      ...(isFirst && { accountId: 'acme' }),
      ...(!isFirst && isSwitch && { cause: 'manual' as const }),
      ...(!isFirst && !isSwitch && { clusterType: `t${i % 5}` }),
    });
  }
  for (const [i, period] of PERIODS.entries())
    expect(book.close({ period, watermark: 40_000 + i * 30_000 }, 'acme')).toHaveLength(1);
});
