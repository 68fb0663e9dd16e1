import { describe, expect, test } from 'vitest';
import { registered, voided } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { double, sqlite } from '../support/stores.ts';

const DAY_MS = 86_400_000;
const NOW = '2026-04-15T12:00:00.000Z';
const EARLIER = '2026-04-10T12:00:00.000Z';
const AHEAD = '2026-06-24T12:00:00.000Z';

/** A ledger that recorded one cluster at the right time and one while its clock was 70 days ahead; the clock is right again. */
async function ledgerAfterJump(): Promise<TestLedger> {
  const ledger = await ledgerForTest({ now: NOW });
  await ledger.record(registered('before', EARLIER));
  ledger.setClock(AHEAD);
  await ledger.record(registered('ahead', EARLIER));
  ledger.setClock(NOW);
  return ledger;
}

const jsonOf = (body: object) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const close = (ledger: TestLedger, period: string, command: object = {}) =>
  ledger.fetch(`/v1/periods/${period}/close`, jsonOf(command));
const trust = (ledger: TestLedger, reason = 'compared with a time server') =>
  ledger.fetch('/v1/clock/trust', jsonOf({ reason }));
const UNTRUSTED = 'urn:cluster-ledger:problem:clock-untrusted';

/** Returns the outcome of a closing: its status and, if it failed, the type of the problem. */
async function closing(ledger: TestLedger, period = '2026-03'): Promise<unknown[]> {
  const { status, body } = await close(ledger, period);
  return status === 200 ? [status] : [status, body.type];
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
      expect(times.length).toBeGreaterThanOrEqual(6);
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

const MARCH = '2026-03-10T00:00:00.000Z';

/** A ledger whose period 2026-03 can be closed, and 2026-04 not yet. */
async function billingLedger(store?: string): Promise<TestLedger> {
  const ledger = await ledgerForTest({ now: NOW, ...(store !== undefined && { store }) });
  await ledger.record(registered('c1', MARCH));
  return ledger;
}

describe('while the clock of the host cannot be trusted', () => {
  test('a clock that is set 70 days ahead closes nothing, and closes again once it is back', async () => {
    const ledger = await billingLedger();
    ledger.setClock(AHEAD);
    for (const period of ['2026-03', '2026-04', '2026-05'])
      expect(await closing(ledger, period)).toEqual([409, UNTRUSTED]);
    expect((await close(ledger, '2026-03', { dryRun: true })).status).toBe(200);
    ledger.setClock(NOW);
    expect(await closing(ledger)).toEqual([200]);
  });

  test('a clock that was 70 days ahead during a restart closes nothing, although the log has its time now', async () => {
    const ledger = await billingLedger();
    ledger.setClock(AHEAD);
    await ledger.reopen();
    await ledger.record(registered('c2', EARLIER));
    expect(await closing(ledger)).toEqual([409, UNTRUSTED]);
    await ledger.reopen();
    ledger.pass(DAY_MS);
    expect(await closing(ledger)).toEqual([409, UNTRUSTED]);
    ledger.setClock('2026-04-16T12:00:00.000Z');
    expect(await closing(ledger)).toEqual([200]);
  });

  test('a clock behind the newest event of the log closes nothing until an operator trusts it', async () => {
    const ledger = await billingLedger();
    await ledger.close();
    ledger.setClock('2026-04-14T12:00:00.000Z');
    await ledger.open();
    const { body } = await close(ledger, '2026-03');
    expect(body.detail).toContain('the newest event of the log was recorded at 2026-04-15T12:00:00.000Z');
    expect(body.detail).toContain('nothing was closed');
    expect((await trust(ledger)).body).toEqual({
      trusted: true,
      time: '2026-04-14T12:00:00.000Z',
      doubt: null,
    });
    await ledger.reopen();
    expect(await closing(ledger)).toEqual([200]);
  });

  test.each([sqlite, double])(
    'a ledger on $name that was off for more than 31 days closes nothing until an operator trusts the clock',
    async ({ connection }) => {
      const ledger = await billingLedger(connection);
      ledger.pass(32 * DAY_MS);
      await ledger.reopen();
      expect(await closing(ledger)).toEqual([409, UNTRUSTED]);
      expect((await trust(ledger)).status).toBe(200);
      expect(await closing(ledger)).toEqual([200]);
    },
  );

  test('a new ledger on EventStoreDB whose clock is 70 days ahead of that of the server closes nothing', async () => {
    const real = Date.now();
    const ledger = await ledgerForTest({
      store: double.connection,
      now: new Date(real + 70 * DAY_MS).toISOString(),
      comparesServerTime: true,
    });
    const [c1] = await ledger.record(registered('c1', new Date(real).toISOString()));
    const month = String(c1?.recordedAt).slice(0, 7);
    const period = new Date(Date.parse(`${month}-01T00:00:00Z`) - DAY_MS).toISOString().slice(0, 7);
    const answer = await close(ledger, period, { early: true });
    expect([answer.status, answer.body.type]).toEqual([409, UNTRUSTED]);
    expect(answer.body.detail).toContain('the server of the store showed');
    ledger.setClock(new Date(real).toISOString());
    expect((await ledger.get('/v1/clock')).body).toMatchObject({ trusted: true, doubt: null });
  });

  test('a ledger that was off for 30 days closes periods at once', async () => {
    const ledger = await billingLedger();
    ledger.pass(30 * DAY_MS);
    await ledger.reopen();
    expect(await closing(ledger)).toEqual([200]);
  });

  test('a step of 59 s has no effect, and a step of 61 s in either direction is a doubt', async () => {
    for (const [seconds, trusted] of [
      [59, true],
      [-59, true],
      [61, false],
      [-61, false],
    ] as const) {
      const ledger = await billingLedger();
      ledger.setClock(new Date(ledger.now + seconds * 1_000).toISOString());
      expect((await ledger.get('/v1/clock')).body.trusted, `${seconds} s`).toBe(trusted);
    }
  });

  test('the alert clock-untrusted, a check of /readyz and GET /v1/clock say why, and facts are recorded', async () => {
    const ledger = await billingLedger();
    ledger.setClock(AHEAD);
    const alerts = await ledger.get('/v1/alerts?kind=clock-untrusted');
    expect(alerts.body.items).toMatchObject([
      {
        id: 'clock-untrusted:clock',
        severity: 'critical',
        state: 'open',
        happened: expect.stringContaining(
          `it shows ${AHEAD} but should show at most 2026-04-15T12:01:00.000Z`,
        ),
        next: expect.stringContaining('cluster-ledger clock trust --reason'),
      },
    ]);
    const ready = await ledger.get('/readyz');
    expect(ready.status).toBe(200);
    expect(ready.body.checks.clock).toEqual({
      ok: false,
      detail: expect.stringMatching(/^clock-untrusted: it shows .*; no period is closed$/),
    });
    expect((await ledger.get('/v1/clock')).body).toMatchObject({ trusted: false, doubt: { since: AHEAD } });
    await ledger.record(registered('c2', EARLIER));
    expect((await trust(ledger)).status).toBe(200);
    expect((await ledger.get('/v1/alerts?kind=clock-untrusted')).body.items).toEqual([]);
    expect((await ledger.get('/readyz')).body.checks.clock.ok).toBe(true);
  });

  test('the decision of an operator is recorded with its reason, and only once', async () => {
    const ledger = await billingLedger();
    ledger.pass(32 * DAY_MS);
    await ledger.reopen();
    await trust(ledger, 'the host was off');
    const head = await ledger.head();
    await trust(ledger, 'again');
    expect(await ledger.head()).toBe(head);
    const records = await Array.fromAsync(ledger.rooms.store.readStream('clock'));
    expect(records.map(({ type, data }) => [type, data])).toEqual([
      ['ClockDoubted', expect.objectContaining({ clock: '2026-05-17T12:00:00.000Z' })],
      ['ClockTrusted', { by: 'loopback', clock: '2026-05-17T12:00:00.000Z', reason: 'the host was off' }],
    ]);
  });

  test('a confirmation without a reason is rejected', async () => {
    const ledger = await billingLedger();
    expect((await ledger.fetch('/v1/clock/trust', jsonOf({}))).status).toBe(400);
  });
});
