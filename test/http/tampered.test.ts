import { rm, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { inStructuredMode, registered, stopped } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { until } from '../support/until.ts';

const APRIL = '2026-04-01T00:00:00.000Z';
const MAY_10 = '2026-05-10T00:00:00.000Z';
const problem = (code: string) => `urn:cluster-ledger:problem:${code}`;
const json = (body: object) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/** A ledger with six clusters that was closed, so that all of it is signed, altered, and opened again. */
async function altered(...sql: string[]): Promise<TestLedger> {
  const ledger = await ledgerForTest({ now: MAY_10 });
  await ledger.record(
    ...Array.from({ length: 6 }, (_, n) => ({ ...registered(`c${n}`, APRIL), id: `e${n}` })),
  );
  await ledger.close();
  const db = new DatabaseSync(ledger.storeFile);
  for (const statement of sql) expect(db.prepare(statement).run().changes).toBeGreaterThan(0);
  db.close();
  await ledger.open();
  return ledger;
}

const found = (ledger: TestLedger) =>
  until(
    () =>
      (ledger.rooms.signedLog.tampered ?? ledger.rooms.store.loss) !== undefined &&
      ledger.rooms.projections.isCaughtUp,
  );

const ONE_BYTE = `UPDATE log SET data = replace(data, '"acme"', '"acmf"') WHERE position = 3`;
const COLUMNS = 'stream, revision, previous, id, type, data, metadata, recorded_at';
const swap = (a: number, b: number) => [
  `UPDATE log SET position = 1000 WHERE position = ${a}`,
  `UPDATE log SET position = ${a} WHERE position = ${b}`,
  `UPDATE log SET position = ${b} WHERE position = 1000`,
];

describe('a ledger that starts on a log', () => {
  test.each([
    ['a byte of an event was changed', [ONE_BYTE]],
    ['two events were swapped', swap(2, 5)],
    [
      'an event was inserted and the last one removed',
      [
        'DELETE FROM log WHERE position = 6',
        'UPDATE log SET position = position + 1000 WHERE position > 3',
        `INSERT INTO log (position, ${COLUMNS}) SELECT 4, 'cluster-x', 0, NULL, replace(id, '-5', '-4'), type, data, metadata, recorded_at FROM log WHERE position = 3`,
        'UPDATE log SET position = position - 999 WHERE position > 1000',
      ],
    ],
    [
      'an event is said to have been recorded at another time',
      ['UPDATE log SET recorded_at = recorded_at - 1 WHERE position = 1'],
    ],
    [
      'the newest checkpoint was changed',
      [
        `UPDATE state SET data = replace(data, '\\n6\\n', '\\n5\\n') WHERE stream = '~log-checkpoints' AND revision = 1`,
      ],
    ],
  ])('detects that %s', async (_, sql) => {
    const ledger = await altered(...sql);
    await found(ledger);
    const answer = await ledger.post(registered('c9', APRIL));
    expect([answer.status, answer.body.type]).toEqual([503, problem('read-only')]);
  });

  test('accepts an unaltered log', async () => {
    const ledger = await altered('UPDATE log SET type = type');
    expect(await ledger.rooms.signedLog.waitUntilReady(60_000, 6)).toBe(true);
    expect((await ledger.record(registered('c9', APRIL)))[0]?.position).toBe('7');
    expect((await ledger.get('/readyz')).body.checks.log.ok).toBe(true);
  });
});

test.each([
  [
    'the last event was removed',
    'DELETE FROM log WHERE position = 6',
    'the log has 5 events, and 6 were acknowledged',
  ],
  ['all events were removed', 'DELETE FROM log', 'the log has 0 events, and 6 were acknowledged'],
])('a ledger that starts on a log from which %s raises log-behind and takes nothing', async (_, sql, why) => {
  const ledger = await altered(sql);
  await found(ledger);
  const { items } = (await ledger.get('/v1/alerts?kind=log-behind')).body;
  expect(items).toMatchObject([{ kind: 'log-behind', severity: 'critical', state: 'open' }]);
  expect(items[0].happened).toContain(why);
  const answer = await ledger.post(registered('c9', APRIL));
  expect([answer.status, answer.body.type]).toEqual([503, problem('read-only')]);
});

describe('a ledger whose log was tampered with', () => {
  test('rejects every write, and reports that nothing was recorded', async () => {
    const ledger = await altered(ONE_BYTE);
    await found(ledger);
    const { eventId } = (await ledger.get('/v1/feed')).body.events.map(
      (event: { ledgereventid: string }) => ({
        eventId: event.ledgereventid,
      }),
    )[0];
    const commands: [string, ReturnType<typeof ledger.fetch>][] = [
      ['an event', ledger.post(registered('c9', APRIL))],
      ['a binary event', ledger.postBinary(stopped('c1', APRIL))],
      ['a batch', ledger.postBatch([registered('c9', APRIL), registered('c10', APRIL)])],
      ['an event to be refused', ledger.post({ ...registered('c0', APRIL, 'globex'), id: 'other' })],
      ['a stop', ledger.fetch('/v1/clusters/c1/billing-stops', json({ reason: 'r' }))],
      ['a void', ledger.fetch(`/v1/events/${eventId}/void`, json({ reason: 'r' }))],
      ['a closing', ledger.fetch('/v1/periods/2026-04/close', { method: 'POST' })],
      ['a signature', ledger.fetch('/log/checkpoint', { method: 'POST' })],
    ];
    for (const [what, command] of commands) {
      const { status, body, text } = await command;
      expect([status, body?.type], `${what}: ${text}`).toEqual([503, problem('read-only')]);
      if (what !== 'a signature') expect(body.detail).toContain('nothing was recorded');
    }
    expect(await ledger.head()).toBe(6);
  });

  test('still answers reads, including what it recorded before', async () => {
    const ledger = await altered(ONE_BYTE);
    await found(ledger);
    expect((await ledger.get('/v1/usage?period=2026-04')).status).toBe(200);
    const repeated = await ledger.send(inStructuredMode({ ...registered('c0', APRIL), id: 'e0' }));
    expect([repeated.status, repeated.body.outcome]).toEqual([200, 'duplicate']);
    const { status, body } = await ledger.get(`/v1/events/${repeated.body.eventId}`);
    expect([status, body.proof]).toEqual([200, undefined]);
    expect((await ledger.get('/log/checkpoint')).text).toContain('\n6\n');
    expect((await ledger.get('/log/tile/0/000.p/6')).status).toBe(200);
    const proof = await ledger.get('/log/proof/inclusion?position=1');
    expect([proof.status, proof.body.type]).toEqual([503, problem('read-only')]);
  });

  test('reports the tampering in its readiness, its metrics and its own log', async () => {
    const ledger = await altered(ONE_BYTE);
    await found(ledger);
    const { status, body } = await ledger.get('/readyz');
    const why = 'the first 6 events do not match the newest checkpoint';
    expect([status, body.checks.log]).toEqual([
      200,
      { ok: false, detail: `log-tampered: ${why}; the ledger is read-only` },
    ]);
    expect((await ledger.get('/metrics')).text).toMatch(/^ledger_log_tampered 1$/m);
    expect(ledger.logged.filter(({ alert }) => alert === 'log-tampered')).toEqual([
      expect.objectContaining({ level: 50, why }),
    ]);
  });

  test('recovers when the store is restored', async () => {
    const ledger = await altered(ONE_BYTE);
    await found(ledger);
    await ledger.close();
    const db = new DatabaseSync(ledger.storeFile);
    db.exec(`UPDATE log SET data = replace(data, '"acmf"', '"acme"')`);
    db.close();
    await ledger.open();
    expect(await ledger.rooms.signedLog.waitUntilReady(60_000, 6)).toBe(true);
    expect((await ledger.record(registered('c9', APRIL)))[0]?.position).toBe('7');
  });
});

describe('a ledger with another key than the one that signed its log', () => {
  test('starts only after an operator accepts the key', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', APRIL));
    await ledger.close();
    await rm(ledger.keyFile);
    const why = await ledger.open().catch((error: Error) => error.message);
    const [, id] = /set audit\.acceptKey to ([0-9a-f]{8})/.exec(String(why)) ?? [];
    expect(id, String(why)).toBeDefined();
    ledger.signedLog = { acceptKey: id };
    await ledger.reopen();
    expect(await ledger.rooms.signedLog.waitUntilReady(60_000, 1)).toBe(true);
    ledger.signedLog = undefined;
    await ledger.reopen();
    await writeFile(ledger.keyFile, 'not a key', { mode: 0o600 });
    await ledger.close();
    await expect(ledger.open()).rejects.toThrow('key 1 is not an Ed25519 key');
  });
});
