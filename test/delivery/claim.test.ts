import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { CLAIM_MS, Claim, RENEW_MS } from '../../src/delivery/claim.ts';
import { EsdbStore } from '../../src/eventstore/esdb/esdb-store.ts';
import { double, PATIENT } from '../support/stores.ts';

/** Two processes that claim the same work, whose clocks only the test moves. */
async function twoClaimants() {
  const namespace = `test-${randomUUID()}`;
  let monotonic = 0;
  const claimants = [1, 2].map(() => {
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const store = new EsdbStore(double.connection, { namespace, now: () => 0, log, timings: PATIENT });
    onTestFinished(() => store.close());
    return new Claim(store, 'work', { now: () => 0, monotonic: () => monotonic });
  });
  const [first, second] = claimants as [Claim, Claim];
  return { first, second, pass: (ms: number) => (monotonic += ms) };
}

test('a claim is held by one process as long as that process renews it', async () => {
  const { first, second, pass } = await twoClaimants();
  expect(await first.acquire()).toBe(true);
  for (let i = 0; i < 10; i++) {
    expect(await second.acquire()).toBe(false);
    pass(RENEW_MS);
    expect(await first.acquire()).toBe(true);
  }
  expect([first.isHeld, second.isHeld]).toEqual([true, false]);
});

test('a claim that is not renewed ends for its holder before another process takes it', async () => {
  const { first, second, pass } = await twoClaimants();
  await first.acquire();
  expect(await second.acquire()).toBe(false);
  pass(CLAIM_MS);
  expect(first.isHeld).toBe(false);
  expect(await second.acquire()).toBe(false);
  pass(RENEW_MS);
  expect(await second.acquire()).toBe(true);
  expect(await first.acquire()).toBe(false);
});

test('a claim that is released can be taken at once', async () => {
  const { first, second } = await twoClaimants();
  await first.acquire();
  await first.release();
  expect(await second.acquire()).toBe(true);
});
