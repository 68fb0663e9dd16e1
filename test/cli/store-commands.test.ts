import { randomBytes } from 'node:crypto';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { clusterStream } from '../../src/domain/stream-table.ts';
import { EsdbStore } from '../../src/eventstore/esdb/esdb-store.ts';
import { SqliteStore } from '../../src/eventstore/sqlite/sqlite-store.ts';
import { LedgerModel } from '../../src/projections/model/ledger-model.ts';
import { encodeModel, readSnapshot } from '../../src/projections/model/snapshot.ts';
import { startDouble } from '../eventstoredb/double.ts';
import { Producers } from '../fault/producers.ts';
import { registered, stopped } from '../support/cloud-events.ts';
import { fillLedger } from '../support/filled-ledger.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { putBackAfter } from '../support/put-back.ts';
import { anEvent, readLog } from '../support/store-events.ts';
import { PATIENT } from '../support/stores.ts';
import { eventually, until } from '../support/until.ts';
import { finished, folderForTest, run, start } from './program.ts';

const APRIL = '2026-04-01T00:00:00.000Z';
/** A server of their own: the commands read its whole log, which does not grow with the events of all suites. */
let url: string;
beforeAll(async () => {
  const own = await startDouble();
  url = own.url;
  return () => own.close();
});
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const newNamespace = () => `cli${randomBytes(6).toString('hex')}`;
const storeOf = (ledger: TestLedger) => `sqlite:${ledger.storeFile}`;

/** Runs a command of the store that must succeed, and returns what it prints as JSON. */
async function storeCommand(...args: readonly string[]) {
  const { code, stdout, stderr } = await run(['store', ...args, '--json']);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

async function publicKey(ledger: TestLedger): Promise<string> {
  return (await ledger.get('/log/key')).text.trim();
}

/** Returns the answers that depend on positions, figures and signatures. */
async function answers(ledger: TestLedger) {
  const paths = [
    '/v1/usage?period=2026-01',
    '/v1/feed',
    '/v1/periods/2026-01/statements/acme',
    '/v1/periods/2026-01',
  ];
  return Promise.all(paths.map(async (path) => (await ledger.get(path)).body));
}

describe('store backup', () => {
  test('has, for a running ledger under load, every fact that was acknowledged before, and what the ledger signed', async () => {
    const ledger = await ledgerForTest();
    const folder = await folderForTest();
    const to = join(folder, 'ledger.db');
    const producers = new Producers(() => `http://127.0.0.1:${ledger.port}`);
    producers.start(16, 'b');
    await until(() => producers.acknowledged.length > 200);
    await ledger.rooms.signedLog.checkpoint();
    const acknowledged = producers.acknowledged.map(({ eventId }) => eventId);
    const key = await publicKey(ledger);
    const backup = await storeCommand('backup', '--store', storeOf(ledger), '--to', to, '--key', key);
    await producers.stop();
    expect(await readdir(folder)).toEqual(['ledger.db']);
    expect((await stat(to)).mode & 0o777).toBe(0o600);
    const store = await SqliteStore.open(to, { readOnly: true });
    onTestFinished(() => store.close());
    const events = await readLog(store);
    expect(backup).toMatchObject({ size: events.length, file: to });
    expect(backup.signedSize).toBeGreaterThan(0);
    const ids = new Set(events.map(({ id }) => id));
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
    const { root } = await ledger.rooms.signedLog.tree.sizeAndRoot(backup.size);
    expect(backup.root).toBe(Buffer.from(root).toString('base64'));
  });

  test('does not overwrite a file, says so, and ends with 1', async () => {
    const ledger = await ledgerForTest();
    const { code, stderr } = await run([
      ...['store', 'backup', '--store', storeOf(ledger)],
      ...['--to', ledger.snapshotFile.replace(/[^/]+$/, 'ledger.db')],
    ]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/ledger\.db exists, .*give the backup another name; nothing was changed/),
    });
  });

  test('leaves, when it is killed, no file with the name of the backup, and the next one succeeds', async () => {
    const folder = await folderForTest();
    const store = await SqliteStore.open(join(folder, 'ledger.db'));
    const data = { text: 'x'.repeat(2_000) };
    for (let i = 0; i < 40; i++)
      await store.append(
        `s${i}`,
        Array.from({ length: 200 }, () => anEvent(data)),
        'absent',
      );
    await store.close();
    const to = join(folder, 'backup', 'copy.db');
    const args = ['store', 'backup', '--store', `sqlite:${join(folder, 'ledger.db')}`, '--to', to];
    const exists = (file: string) =>
      stat(file).then(
        () => true,
        () => false,
      );
    // A backup that is complete before this process gets time to kill it is made again.
    await eventually(async () => {
      await rm(to, { force: true });
      const child = start(args);
      const ended = finished(child);
      await until(async () => child.exitCode !== null || (await exists(`${to}.partial`)));
      child.kill('SIGKILL');
      expect((await ended).code).toBeNull();
      expect([await exists(`${to}.partial`), await exists(to)]).toEqual([true, false]);
    });
    expect(await storeCommand(...args.slice(1))).toMatchObject({ size: 8_000 });
    expect(await readdir(join(folder, 'backup'))).toEqual(['copy.db']);
  });

  test('refuses a store that lacks acknowledged facts, and a backup that was changed ends with 3', async () => {
    const ledger = await ledgerForTest();
    const folder = await folderForTest();
    await ledger.record(registered('c1', APRIL));
    await ledger.rooms.signedLog.checkpoint();
    const good = join(folder, 'good.db');
    await storeCommand('backup', '--store', storeOf(ledger), '--to', good);
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(good);
    db.exec(`UPDATE log SET data = replace(data, 'c1', 'c9') WHERE position = 1`);
    db.close();
    const changed = await run(['store', 'restore', good, '--store', `sqlite:${join(folder, 'new.db')}`]);
    expect(changed).toMatchObject({ code: 3, stderr: expect.stringContaining('was changed') });
    expect(await readdir(folder)).not.toContain('new.db');
  });

  test('makes, for a ledger on EventStoreDB, a file that answers as the ledger does', async () => {
    const namespace = newNamespace();
    const ledger = await ledgerForTest({ store: url, environment: { LEDGER_NAMESPACE: namespace } });
    await fillLedger(ledger);
    await ledger.rooms.signedLog.checkpoint();
    const to = join(await folderForTest(), 'ledger.db');
    const made = await storeCommand('backup', '--store', url, '--namespace', namespace, '--to', to);
    expect(made.size).toBe(await ledger.head());
    const usage = await run(['usage', '--period', '2026-01', '--json', '--store', `sqlite:${to}`]);
    const { usage: figures } = JSON.parse(usage.stdout);
    expect(figures).toEqual((await ledger.get('/v1/usage?period=2026-01')).body.usage);
  });
});

describe('store restore', () => {
  test('shows consumers that are ahead of the backup where to continue, and others notice nothing', async () => {
    const ledger = await ledgerForTest();
    const folder = await folderForTest();
    await ledger.record(registered('c1', APRIL), registered('c2', APRIL));
    await ledger.rooms.signedLog.checkpoint();
    const behind = (await ledger.get('/v1/feed?after=0&limit=1')).body.next;
    const backup = join(folder, 'backup.db');
    const { size } = await storeCommand('backup', '--store', storeOf(ledger), '--to', backup);
    await ledger.record(stopped('c1', '2026-04-10T00:00:00.000Z'));
    const ahead = (await ledger.get('/v1/feed?after=0')).body.next;
    await ledger.close();

    const args = ['store', 'restore', backup, '--store', storeOf(ledger)];
    const refused = await run(args);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('pass --replace') });
    const restored = await storeCommand(...args.slice(1), '--replace');
    expect(restored).toMatchObject({ size, epochFrom: size });
    expect(restored.missing).toBe(Number(ahead) - size);
    expect(await readdir(join(ledger.storeFile, '..'))).toContain('ledger.db.replaced-1');

    await ledger.open();
    const accepted = await ledger.fetch('/v1/log/accept-loss', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'the disk is gone' }),
    });
    expect(accepted.status, accepted.text).toBe(202);
    await until(() => ledger.acceptedLoss !== undefined);
    await ledger.reopen();
    const lost = await ledger.get(`/v1/feed?after=${ahead}`);
    expect(lost).toMatchObject({ status: 409, body: { type: 'urn:cluster-ledger:problem:epoch-changed' } });
    expect(lost.body.detail).toMatch(new RegExp(`continue with after=\\d+\\.${size}$`));
    expect((await ledger.get(`/v1/feed?after=${behind}`)).status).toBe(200);
  });

  test('begins, on a new machine, an epoch although nothing is known to be lost, and the ledger starts at once', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', APRIL));
    const folder = await folderForTest();
    const backup = join(folder, 'backup.db');
    await storeCommand('backup', '--store', storeOf(ledger), '--to', backup);
    const key = ledger.keyFile;
    const elsewhere = await ledgerForTest({
      environment: { LEDGER_DATA_DIR: join(folder, 'data'), LEDGER_AUDIT_KEY_FILE: key },
    });
    await elsewhere.close();
    await storeCommand('restore', backup, '--store', storeOf(elsewhere), '--replace');
    await elsewhere.open();
    const page = await elsewhere.get('/v1/feed?after=0');
    expect(page.body.events).toHaveLength(1);
    expect(page.body.next).toMatch(/^\d{2,}\.1$/);
    const ahead = await elsewhere.get('/v1/feed?after=900');
    expect(ahead).toMatchObject({ status: 409, body: { type: 'urn:cluster-ledger:problem:epoch-changed' } });
    await elsewhere.record(registered('c2', APRIL));
  });

  test('begins another epoch each time, so that a consumer of the first restored ledger notices the second one', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', APRIL));
    const folder = await folderForTest();
    const backup = join(folder, 'backup.db');
    await storeCommand('backup', '--store', storeOf(ledger), '--to', backup);
    const environment = { LEDGER_AUDIT_KEY_FILE: ledger.keyFile };
    const [first, second] = [await ledgerForTest({ environment }), await ledgerForTest({ environment })];
    const restore = async (to: TestLedger) => {
      await to.close();
      await storeCommand('restore', backup, '--store', storeOf(to), '--replace');
      await to.open();
    };
    await restore(first);
    await first.record(registered('lost', APRIL));
    const { next } = (await first.get('/v1/feed')).body;
    const restoredAt = Date.now();
    // Epochs have the number of the second in which they begin.
    await until(() => Date.now() - restoredAt > 1_000);
    await restore(second);
    await second.record(registered('c2', APRIL));
    const answer = await second.get(`/v1/feed?after=${next}`);
    expect(answer).toMatchObject({ status: 409, body: { type: 'urn:cluster-ledger:problem:epoch-changed' } });
    expect(answer.body.detail).toContain('lost events after position 1;');
  });

  test('to EventStoreDB needs an empty namespace, and begins an epoch', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', APRIL));
    const backup = join(await folderForTest(), 'backup.db');
    await storeCommand('backup', '--store', storeOf(ledger), '--to', backup);
    const target = ['--store', url, '--namespace', newNamespace()];
    expect(await storeCommand('restore', backup, ...target)).toMatchObject({
      epoch: expect.any(Number),
      epochFrom: 1,
    });
    const again = await run(['store', 'restore', backup, ...target]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('has used the target') });
  });
});

describe('store rebuild', () => {
  const rebuild = async (ledger: TestLedger) => {
    const { dataDir, namespace } = ledger.config;
    const chosen = ['--store', storeOf(ledger), '--namespace', namespace, '--data-dir', dataDir];
    const ended = await run(['store', 'rebuild', ...chosen, '--json']);
    return { code: ended.code, ...JSON.parse(ended.stdout) };
  };

  test('finds that a snapshot, continued to the end of the log, is what the log gives', async () => {
    const ledger = await ledgerForTest();
    await fillLedger(ledger);
    await putBackAfter(ledger, [ledger.snapshotFile], () => ledger.record(registered('c9', APRIL)));
    expect(await rebuild(ledger)).toMatchObject({
      code: 0,
      clusters: 4,
      accounts: 2,
      closedPeriods: 1,
      snapshot: { state: 'equal' },
    });
    await rm(ledger.snapshotFile);
    expect(await rebuild(ledger)).toMatchObject({ code: 0, snapshot: { state: 'absent' } });
  });

  test('moves a snapshot with other answers than the log, ends with 3, and the next start answers from the log', async () => {
    const ledger = await ledgerForTest();
    await fillLedger(ledger);
    const expected = await answers(ledger);
    await ledger.close();
    // As a fault of an earlier release could have made it: of this log, and with another account.
    const whole = await readSnapshot(ledger.snapshotFile, () => undefined);
    const wrong = new LedgerModel();
    const store = await SqliteStore.open(ledger.storeFile, { readOnly: true });
    for (const event of await readLog(store)) {
      const isMoved = event.stream === clusterStream('c1') && event.data['accountId'] === 'acme';
      // Metadata are parsed when they are asked for, which a copy would lose.
      const { metadata } = event;
      wrong.apply(isMoved ? { ...event, metadata, data: { ...event.data, accountId: 'globex' } } : event);
    }
    await store.close();
    await writeFile(ledger.snapshotFile, encodeModel(wrong, whole?.origin));
    await ledger.open();
    expect(await answers(ledger)).not.toEqual(expected);
    await ledger.close();

    const movedTo = `${ledger.snapshotFile}.different`;
    expect(await rebuild(ledger)).toMatchObject({ code: 3, snapshot: { state: 'different', movedTo } });
    await ledger.open();
    expect(await answers(ledger)).toEqual(expected);
    await ledger.close();

    await writeFile(ledger.snapshotFile, 'half a snapsh');
    expect(await rebuild(ledger)).toMatchObject({ code: 3, snapshot: { state: 'unusable' } });
  });
});

describe('store copy', () => {
  test('moves a ledger to EventStoreDB and back: figures, statements, cursors and evidence stay the same', async () => {
    const ledger = await ledgerForTest();
    await fillLedger(ledger);
    const before = await answers(ledger);
    const key = await publicKey(ledger);
    await ledger.rooms.signedLog.checkpoint();
    const checkpoint = ledger.rooms.signedLog.newest();
    await ledger.close();
    const namespace = newNamespace();
    const copied = await storeCommand(
      ...['copy', '--from', storeOf(ledger), '--to', url, '--to-namespace', namespace],
    );
    expect(copied.signedSize).toBe(checkpoint?.size);
    const moved = await ledgerForTest({
      store: url,
      environment: { LEDGER_NAMESPACE: namespace, LEDGER_AUDIT_KEY_FILE: ledger.keyFile },
    });
    expect(await answers(moved)).toEqual(before);
    expect(await publicKey(moved)).toBe(key);
    await moved.record(registered('c9', APRIL));
    const after = await answers(moved);
    await moved.close();
    const folder = await folderForTest();
    const file = join(folder, 'ledger.db');
    await storeCommand('copy', '--from', url, '--from-namespace', namespace, '--to', `sqlite:${file}`);
    const back = await ledgerForTest({
      store: `sqlite:${file}`,
      environment: { LEDGER_AUDIT_KEY_FILE: ledger.keyFile },
    });
    expect(await answers(back)).toEqual(after);
    await back.record(registered('c10', APRIL));
  });

  test('is completed, when it was killed again and again, by the same command, with the same root hash', async () => {
    const folder = await folderForTest();
    const file = join(folder, 'ledger.db');
    const source = await SqliteStore.open(file);
    const writes: Promise<number>[] = [];
    for (let i = 0; i < 3_000; i++)
      writes.push(source.append(`s${i % 700}-${i}`, [anEvent({ i })], 'absent'));
    await Promise.all(writes);
    await source.close();
    const namespace = newNamespace();
    const target = new EsdbStore(url, { namespace, now: Date.now, log, timings: PATIENT });
    onTestFinished(() => target.close());
    const args = ['store', 'copy', '--from', `sqlite:${file}`, '--to', url, '--to-namespace', namespace];
    for (const count of [100, 1_500]) {
      const child = start(args);
      const ended = finished(child);
      // A busy server may end a read, which is then repeated.
      await until(async () => (await target.head().catch(() => 0)) >= count);
      child.kill('SIGKILL');
      await ended;
    }
    const { size, found } = await storeCommand(...args.slice(1));
    expect(size).toBe(3_000);
    expect(found).toBeGreaterThanOrEqual(1_500);
    expect((await readLog(target)).map(({ data }) => data['i'])).toEqual(
      Array.from({ length: 3_000 }, (_, i) => i),
    );
  });

  test('does not copy a store that a ledger uses, and ends with 4', async () => {
    const ledger = await ledgerForTest();
    const { code, stderr } = await run([
      ...['store', 'copy', '--from', storeOf(ledger)],
      ...['--to', `sqlite:${join(await folderForTest(), 'new.db')}`],
    ]);
    expect({ code, stderr }).toMatchObject({ code: 4, stderr: expect.stringContaining('is in use') });
  });
});
