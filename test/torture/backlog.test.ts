import { expect, test } from 'vitest';
import { tortureBacklog } from './backlog.ts';

test('a consumer group that is 10,000 facts behind holds less than 2 MiB, and hands out each fact, those of a cluster in order', async () => {
  // The long form is `npm run torture -- backlog`. All facts would take 2.8 MiB.
  const { facts, held, outstanding, findings } = await tortureBacklog(10_000);
  expect(findings).toEqual([]);
  expect([facts, outstanding]).toEqual([10_000, 5_000]);
  expect(Math.max(...Object.values(held))).toBeLessThan(2 * 1_024 * 1_024);
});
