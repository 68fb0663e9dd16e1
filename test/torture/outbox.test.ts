import { expect, test } from 'vitest';
import { tortureOutbox } from './outbox/torture-outbox.ts';

test('every fact that an outbox took arrives once and in order, though its apps are killed and the ledger comes and goes', async () => {
  const report = await tortureOutbox({ seed: 20_261_126, count: 5 });
  expect(report.findings).toEqual([]);
  expect(report).toMatchObject({ kills: 5 });
  expect(report.taken).toBeGreaterThan(5);
  expect(report.rejected).toBeGreaterThan(0);
});
