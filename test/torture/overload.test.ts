import { expect, test } from 'vitest';
import { overload } from './overload.ts';

test('a ledger under 100 connections and 200 connections that send one byte at a time answers /livez, and says when to come back', async () => {
  const { findings, live, overload: loaded } = await overload({ connections: 100, slow: 200, seconds: 2 });
  expect(findings).toEqual([]);
  expect(live.asked).toBeGreaterThan(0);
  expect(loaded.recorded).toBeGreaterThan(0);
});
