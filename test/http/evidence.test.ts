import { get } from 'node:http';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { retireOldKeys, rotateKey } from '../../src/audit/key-file.ts';
import { verifyEvidence } from '../../src/audit/verify/verify-evidence.ts';
import { alterStoreFile } from '../support/alter-file.ts';
import { event, registered } from '../support/cloud-events.ts';
import { recordDispute } from '../support/disputed.ts';
import { evidenceOf, publishedKeys } from '../support/evidence.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { until } from '../support/until.ts';

describe('evidence over HTTP', () => {
  test('is a file for download that caches must not store', async () => {
    const ledger = await ledgerForTest();
    await recordDispute(ledger);
    const { status, headers } = await ledger.get('/v1/accounts/acme/evidence?period=2026-01');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('content-disposition')).toBe('attachment; filename="evidence-acme-2026-01.json"');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('proves the requested figure, and consistency with the requested size', async () => {
    const ledger = await ledgerForTest();
    await recordDispute(ledger);
    const sizesOf = async (since?: number) => {
      const { evidence } = JSON.parse((await evidenceOf(ledger, 'acme', '2026-01', since)).toString('utf8'));
      return evidence.consistency.map(({ size, checkpoint }: { size: number; checkpoint?: string }) => [
        size,
        checkpoint !== undefined,
      ]);
    };
    const closings = [7, 13, 17].map((size) => [size, true]);
    expect(await sizesOf()).toEqual(closings);
    expect(await sizesOf(3)).toEqual([[3, false], ...closings]);
    expect(await sizesOf(13)).toEqual(closings);
    expect(await sizesOf(20)).toEqual([...closings, [20, false]]);
  });

  test.each([
    ['nobody/evidence?period=2026-01', 404, /no cluster ever belonged to account nobody/],
    ['acme/evidence', 400, /\/query\/period/],
    ['acme/evidence?period=2026-13', 400, /must be a month/],
    ['acme/evidence?period=2026-01&since=0', 400, /\/query\/since: must be from 1/],
    [
      'acme/evidence?period=2026-01&since=2',
      400,
      /must be the size of an older checkpoint; the log has 1 events; given 2/,
    ],
    ['acme/evidence?period=2026-01&until=2', 400, /\/query\/until: is not a known field/],
  ])('%s is answered with %i', async (path, status, detail) => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', '2026-01-02T00:00:00Z'));
    const answer = await ledger.get(`/v1/accounts/${path}`);
    expect(answer.status).toBe(status);
    expect(answer.body.detail).toMatch(detail);
  });

  test('verifies even if facts are recorded while it is written', async () => {
    const ledger = await ledgerForTest();
    await recordDispute(ledger);
    const keys = await publishedKeys(ledger);
    const writing = Array.from({ length: 40 }, async (_, i) => {
      await ledger.record(registered(`n${i}`, '2026-03-02T00:00:00Z', i % 2 === 0 ? 'acme' : 'globex'));
      await ledger.record(event('cluster.reachable', 'c1', '2026-04-02T00:00:00Z', {}));
    });
    const files = await Promise.all(
      Array.from({ length: 30 }, (_, i) => evidenceOf(ledger, 'acme', i % 2 === 0 ? '2026-03' : '2026-04')),
    );
    await Promise.all(writing);
    for (const file of files) expect(verifyEvidence(file, { keys })).toMatchObject({ ok: true });
  });

  test('is cancelled if the client disconnects, and the ledger continues', async () => {
    const ledger = await ledgerForTest();
    await recordDispute(ledger);
    await new Promise<void>((resolve) => {
      const request = get(
        `http://127.0.0.1:${ledger.port}/v1/accounts/acme/evidence?period=2026-01`,
        (answer) => {
          answer.destroy();
          resolve();
        },
      );
      request.on('error', () => resolve());
    });
    await ledger.record(registered('c10', '2026-04-02T00:00:00Z'));
    expect(await evidenceOf(ledger, 'acme', '2026-01')).toBeInstanceOf(Buffer);
  });
});

describe('a log that was altered', () => {
  const alter = (ledger: TestLedger) => {
    const db = new DatabaseSync(ledger.storeFile);
    db.exec(`UPDATE log SET data = replace(data, '2026-01-10', '2026-01-11') WHERE position = 2`);
    db.close();
  };

  test('yields no complete evidence file if it is altered while the ledger runs', async () => {
    const ledger = await ledgerForTest();
    await recordDispute(ledger);
    alterStoreFile(ledger.storeFile, '2026-01-10', '2026-01-11');
    await ledger.record(registered('c10', '2026-04-02T00:00:00Z'));
    const { status, body, headers } = await ledger.get('/v1/accounts/acme/evidence?period=2026-01');
    expect([status, body.type]).toEqual([503, 'urn:cluster-ledger:problem:read-only']);
    expect(body.detail).toContain('position 2');
    expect(headers.get('content-disposition')).toBeNull();
    expect((await ledger.get('/readyz')).body.checks.log.detail).toContain(
      'log-tampered: the event at position 2',
    );
    expect((await ledger.post(registered('c11', '2026-04-02T00:00:00Z'))).status).toBe(503);
  });

  test('yields no evidence file if it was altered while the ledger was stopped', async () => {
    const ledger = await ledgerForTest();
    await recordDispute(ledger);
    await ledger.close();
    alter(ledger);
    await ledger.open();
    await until(() => ledger.rooms.signedLog.tampered !== undefined);
    const { status, body } = await ledger.get('/v1/accounts/initech/evidence?period=2026-01');
    expect([status, body.type]).toEqual([503, 'urn:cluster-ledger:problem:read-only']);
  });
});

describe('a rotation of the keys', () => {
  const keyFile = (ledger: TestLedger) => join(dirname(ledger.snapshotFile), 'log-key');
  const changed = (file: Buffer, change: (seal: string) => string) => {
    const { evidence, seal } = JSON.parse(file.toString('utf8'));
    const text = file.toString('utf8');
    expect(text).toContain(JSON.stringify(seal));
    expect(evidence.keys).toHaveLength(2);
    return Buffer.from(text.replace(JSON.stringify(seal), JSON.stringify(change(seal))));
  };

  test('seals evidence with both keys at first, and later with the new key only', async () => {
    const ledger = await ledgerForTest();
    await recordDispute(ledger);
    const [old] = (await publishedKeys(ledger)) as [string];
    await ledger.close();
    await rotateKey(keyFile(ledger));
    await ledger.open();
    const both = await publishedKeys(ledger);
    const [next] = both as [string];
    expect(both).toEqual([next, old]);
    await ledger.record(registered('c10', '2026-04-02T00:00:00Z'));

    const file = await evidenceOf(ledger, 'acme', '2026-02');
    for (const keys of [[old], [next], both])
      expect(verifyEvidence(file, { keys }), keys.join()).toMatchObject({ ok: true });
    // Whichever is known: no line of the seal can be changed, left out or put elsewhere.
    const lines = (seal: string) => seal.trimEnd().split('\n');
    for (const change of [
      (seal: string) => `${lines(seal).slice(0, -1).join('\n')}\n`,
      (seal: string) =>
        `${lines(seal)
          .with(-1, lines(seal).at(-2) as string)
          .join('\n')}\n`,
      (seal: string) =>
        `${[...lines(seal).slice(0, -2), lines(seal).at(-1), lines(seal).at(-2)].join('\n')}\n`,
      (seal: string) =>
        seal.replace(
          /(.{6})(.)(\n)$/s,
          (_, before, one, end) => `${before === one ? 'B' : 'A'}${before.slice(1)}${one}${end}`,
        ),
    ]) {
      for (const keys of [[old], [next], both])
        expect(verifyEvidence(changed(file, change), { keys })).toMatchObject({ ok: false, check: 'seal' });
    }

    const { text: checkpoint } = await ledger.get('/log/checkpoint');
    await ledger.close();
    await retireOldKeys(keyFile(ledger), checkpoint);
    await ledger.open();
    await ledger.record(registered('c11', '2026-04-02T00:00:00Z'));
    const later = await evidenceOf(ledger, 'acme', '2026-02');
    expect(verifyEvidence(later, { keys: [next] })).toMatchObject({ ok: true });
    expect(verifyEvidence(later, { keys: [old] })).toMatchObject({ ok: false, check: 'signature' });
  });
});
