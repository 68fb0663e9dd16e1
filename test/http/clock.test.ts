import { describe, expect, test } from 'vitest';
import { registered, voided } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';

const DAY_MS = 86_400_000;
const NOW = '2026-04-15T12:00:00.000Z';
const EARLIER = '2026-04-10T12:00:00.000Z';
const AHEAD = '2026-06-24T12:00:00.000Z';

/** A ledger that recorded one cluster at the right time and one while its clock was 70 days ahead; the clock is right again. */
async function ledgerAfterJump(): Promise<TestLedger> {
  const ledger = await ledgerForTest({ now: NOW });
  await ledger.record(registered('before', EARLIER));
  ledger.pass(70 * DAY_MS);
  await ledger.record(registered('ahead', EARLIER));
  ledger.pass(-70 * DAY_MS);
  return ledger;
}

async function recordedAts({ rooms }: TestLedger): Promise<readonly number[]> {
  const times: number[] = [];
  for await (const events of rooms.store.readAll(0))
    times.push(...events.map(({ recordedAt }) => recordedAt));
  return times;
}

describe('a clock that was 70 days ahead and came back', () => {
  test.each(['at once', 'while the ledger was down'])(
    'never makes recordedAt decrease (%s)',
    async (when) => {
      const ledger = await ledgerAfterJump();
      if (when !== 'at once') await ledger.reopen();
      const [after] = await ledger.record(registered('after', NOW));
      expect(after?.recordedAt).toBe(AHEAD);
      expect((await ledger.post(registered('after', NOW, 'globex'))).status).toBe(409);
      await ledger.record(voided('after', NOW, String(after?.eventId)));
      const alerts = await ledger.get('/v1/alerts?kind=event-rejected');
      const { id } = alerts.body.items[0];
      expect((await ledger.fetch(`/v1/alerts/${id}/acknowledge`, { method: 'POST' })).status).toBe(200);
      const times = await recordedAts(ledger);
      expect(times).toHaveLength(6);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    },
  );

  test('does not move the window in which the time of a fact must be', async () => {
    const ledger = await ledgerAfterJump();
    const { status, body } = await ledger.post(registered('after', '2026-04-15T13:00:00.000Z'));
    expect([status, body.type]).toEqual([422, 'urn:cluster-ledger:problem:effective-in-future']);
  });

  test('stamps events with the wall clock again once it has passed the newest event', async () => {
    const ledger = await ledgerAfterJump();
    ledger.pass(71 * DAY_MS);
    const [late] = await ledger.record(registered('late', AHEAD));
    expect(late?.recordedAt).toBe('2026-06-25T12:00:00.000Z');
  });

  test('lets asOf find the facts that were known at the time each answer states', async () => {
    const ledger = await ledgerAfterJump();
    const [after] = await ledger.record(registered('after', EARLIER));
    await ledger.reopen();
    const clusters = async (asOf: string) => {
      const query = `from=2026-04-01T00:00:00.000Z&to=${NOW}&asOf=${asOf}`;
      return (await ledger.get(`/v1/accounts/acme/usage?${query}`)).body.usage.billableClusters;
    };
    expect(await clusters('2026-04-15T11:59:59.999Z')).toBe(0);
    expect(await clusters(NOW)).toBe(1);
    expect(await clusters('2026-06-24T11:59:59.999Z')).toBe(1);
    expect(await clusters(String(after?.recordedAt))).toBe(3);
  });
});
