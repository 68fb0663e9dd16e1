import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { describe, expect, test } from 'vitest';
import { parseCheckpoint } from '../../src/audit/checkpoint-text.ts';
import { leafHash } from '../../src/audit/leaf.ts';
import { openNote } from '../../src/audit/note.ts';
import { NoteVerifier } from '../../src/audit/note-key.ts';
import { parseBundle } from '../../src/audit/tiles.ts';
import { verifyConsistency, verifyInclusion } from '../../src/audit/verify-proof.ts';
import { clusterStream } from '../../src/domain/stream-table.ts';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { collect, readLog } from '../support/store-events.ts';
import { stores } from '../support/stores.ts';
import { until } from '../support/until.ts';

const APRIL = '2026-04-01T00:00:00.000Z';
const events = (count: number, first = 0) =>
  Array.from({ length: count }, (_, n) => registered(`c${first + n}`, APRIL));
const problem = (code: string) => `urn:cluster-ledger:problem:${code}`;
const bytes = (text: string) => Buffer.from(text, 'base64');
const joined = (hashes: readonly string[]) => Buffer.concat(hashes.map(bytes));

async function signNow(ledger: TestLedger): Promise<string> {
  const { status, text } = await ledger.fetch('/log/checkpoint', { method: 'POST' });
  expect(status, text).toBe(200);
  return text;
}

/** Verifies a note with the published keys, and returns its checkpoint. */
async function opened(ledger: TestLedger, note: string) {
  const { text } = await ledger.get('/log/key');
  const keys = text
    .trimEnd()
    .split('\n')
    .map((line) => NoteVerifier.parse(line));
  return parseCheckpoint(openNote(note, keys).text);
}

async function tile(ledger: TestLedger, path: string) {
  const { status, headers } = await ledger.get(`/log/tile/${path}`);
  const response = await fetch(`http://127.0.0.1:${ledger.port}/log/tile/${path}`);
  return { status, headers, body: Buffer.from(await response.arrayBuffer()) };
}

describe.each(stores)('the log over HTTP on $name', ({ connection }) => {
  test('is signed on demand, and consistency proofs connect its checkpoints', async () => {
    const ledger = await ledgerForTest({ store: connection });
    await ledger.postBatch(events(5));
    const older = await opened(ledger, await signNow(ledger));
    expect(older.size).toBe(5);
    expect(older.origin).toMatch(/^cluster-ledger\.local\//);
    await ledger.postBatch(events(6, 5));
    const { headers, text } = await ledger.get('/log/checkpoint');
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-cache');
    expect(await opened(ledger, text)).toEqual(older);
    const newer = await opened(ledger, await signNow(ledger));
    expect(newer.size).toBe(11);
    const { body } = await ledger.get('/log/proof/consistency?from=5&to=11');
    expect(body).toMatchObject({ from: 5, size: 11 });
    expect(bytes(body.fromRoot)).toEqual(older.root);
    expect(bytes(body.root)).toEqual(newer.root);
    expect(verifyConsistency(joined(body.proof), 5, 11, older.root, newer.root)).toBe(true);
    expect((await ledger.get('/log/proof/consistency?from=5')).body).toEqual(body);
  });

  test('contains each event, which is returned with an inclusion proof and a signed checkpoint', async () => {
    const ledger = await ledgerForTest({ store: connection });
    const recorded = await ledger.record(...events(3));
    for (const { eventId, position, clusterId, revision } of recorded) {
      const { proof } = (await ledger.get(`/v1/events/${eventId}`)).body;
      const { size, root } = await opened(ledger, proof.checkpoint);
      expect(proof).toMatchObject({ position, leafIndex: Number(position) - 1, treeSize: size });
      const [event] = await collect(
        ledger.rooms.store.readStream(clusterStream(clusterId), { from: revision }),
      );
      if (event === undefined) throw new Error('the event is not in its stream');
      const { data, id, metadata, recordedAt, stream, type } = event;
      const at = new Date(recordedAt).toISOString();
      const text = canonicalize({ data, id, metadata, recordedAt: at, revision, stream, type });
      const hash = createHash('sha256').update(`\0${text}`).digest();
      expect(proof.leafHash).toBe(hash.toString('base64'));
      expect(verifyInclusion(joined(proof.hashes), proof.leafIndex, size, hash, root)).toBe(true);
    }
    // An event that the newest checkpoint covers needs no new checkpoint.
    const kept = await collect(ledger.rooms.signedLog.kept());
    await ledger.get(`/v1/events/${recorded[0]?.eventId}`);
    expect(await collect(ledger.rooms.signedLog.kept())).toEqual(kept);
  });

  test('is read in tiles and bundles, which may be cached forever if a checkpoint covers them', async () => {
    const ledger = await ledgerForTest({ store: connection });
    await ledger.postBatch(events(300));
    await ledger.rooms.signedLog.waitUntilReady(60_000, 300);
    const log = await readLog(ledger.rooms.store);
    const immutable = 'public, max-age=31536000, immutable';
    // Until then, the restore of a backup could put other events into the same places.
    for (const path of ['0/000', 'entries/000', '0/001.p/44', '1/000.p/1'])
      expect((await tile(ledger, path)).headers.get('cache-control'), path).toBe('no-cache');
    await signNow(ledger);
    await ledger.postBatch(events(5, 300));
    await ledger.rooms.signedLog.waitUntilReady(60_000, 305);
    for (const path of ['0/000', 'entries/000', '0/001.p/44', 'entries/001.p/44', '0/001.p/2', '1/000.p/1'])
      expect((await tile(ledger, path)).headers.get('cache-control'), path).toBe(immutable);
    expect((await tile(ledger, '0/001.p/45')).headers.get('cache-control')).toBe('no-cache');
    const full = await tile(ledger, '0/000');
    expect(full.headers.get('content-type')).toBe('application/octet-stream');
    expect(full.body).toHaveLength(256 * 32);
    const entries = await tile(ledger, 'entries/000');
    expect(entries.headers.get('content-type')).toBe('application/octet-stream');
    const leaves = parseBundle(entries.body);
    expect(Buffer.concat(leaves.map(leafHash))).toEqual(full.body);
    expect(leaves.map((leaf) => JSON.parse(Buffer.from(leaf).toString()).id)).toEqual(
      log.slice(0, 256).map(({ id }) => id),
    );
    const partial = await tile(ledger, '0/001.p/44');
    expect(partial.body).toHaveLength(44 * 32);
    expect((await tile(ledger, '0/000.p/8')).body).toEqual(full.body.subarray(0, 8 * 32));
    expect(parseBundle((await tile(ledger, 'entries/000.p/8')).body)).toEqual(leaves.slice(0, 8));
    expect((await tile(ledger, '1/000.p/1')).body).toHaveLength(32);
    for (const absent of [
      '0/001',
      '0/001.p/50',
      '1/000',
      '1/000.p/2',
      'entries/001',
      '0/x001/000',
      '0/0',
      '0/000.p/0',
    ])
      expect((await tile(ledger, absent)).status, absent).toBe(404);
    for (const odd of [
      '0/000.p/256',
      '0/%30%30%30',
      '0/000/',
      '64/000',
      '-1/000',
      'entries/..',
      '..%2fcheckpoint',
    ])
      expect((await ledger.get(`/log/tile/${odd}`)).body, odd).toMatchObject({ type: problem('not-found') });
    expect((await ledger.get('/log/tile/0/000?x=1')).status).toBe(400);
  });
});

test('proofs exist for events in the log, and other requests answer 404', async () => {
  const ledger = await ledgerForTest();
  await ledger.postBatch(events(9));
  const { body } = await ledger.get('/log/proof/inclusion?position=4&size=7');
  const { body: whole } = await ledger.get('/log/proof/consistency?from=7&to=9');
  expect(body).toMatchObject({ position: '4', leafIndex: 3, size: 7, root: whole.fromRoot });
  expect(verifyInclusion(joined(body.proof), 3, 7, bytes(body.leafHash), bytes(body.root))).toBe(true);
  expect((await ledger.get('/log/proof/inclusion?position=4')).body.size).toBe(9);
  for (const [query, status, said] of [
    ['inclusion?position=10', 404, 'the log has 9 events'],
    ['inclusion?position=4&size=10', 404, 'there is no tree of 10 leaves'],
    ['inclusion?position=8&size=7', 404, 'leaf 7 is not in a tree of 7'],
    ['inclusion?position=0', 400, 'must be from 1'],
    ['inclusion', 400, '/query/position'],
    ['inclusion?position=1e3', 400, '/query/position'],
    ['consistency?from=10', 404, 'the log has 9 events'],
    ['consistency?from=4&to=10', 404, 'there is no tree of 10 leaves'],
    ['consistency?from=4&to=3', 400, 'must be at least from, 4; given 3'],
    ['consistency?from=4&until=9', 400, 'is not a known field'],
  ] as const) {
    const answer = await ledger.get(`/log/proof/${query}`);
    expect([answer.status, answer.body.detail], query).toEqual([status, expect.stringContaining(said)]);
  }
  expect((await ledger.get('/log/proof/consistency?from=0&to=9')).body.proof).toEqual([]);
});

test('closing a period signs a checkpoint', async () => {
  const ledger = await ledgerForTest({ now: '2026-05-10T00:00:00.000Z' });
  await ledger.record(registered('c1', APRIL));
  const closed = await ledger.fetch('/v1/periods/2026-04/close', { method: 'POST' });
  expect(closed.body.position, closed.text).toBe('2');
  await until(() => ledger.rooms.signedLog.newest()?.size === 2);
});

test('a checkpoint is signed every hour while events arrive, and none without new events', async () => {
  const ledger = await ledgerForTest({ signedLog: { checkpointSeconds: 3_600 } });
  const { signedLog } = ledger.rooms;
  await ledger.record(registered('c1', APRIL));
  expect(signedLog.newest()?.size).toBe(0);
  ledger.pass(3_599_000);
  await ledger.record(registered('c2', APRIL));
  expect(signedLog.newest()?.size).toBe(0);
  ledger.pass(1_000);
  await until(() => signedLog.newest()?.size === 2);
  expect(signedLog.newest()?.signedAt).toBe(ledger.now);
  ledger.pass(10 * 3_600_000);
  await ledger.record(registered('c3', APRIL));
  await until(() => signedLog.newest()?.size === 3);
  expect((await collect(signedLog.kept())).map(({ size }) => size)).toEqual([0, 2, 3]);
});

test('checkpoints go on being signed after the clock was 70 days ahead, and their times never go back', async () => {
  const ledger = await ledgerForTest({ signedLog: { checkpointSeconds: 3_600 } });
  const { signedLog } = ledger.rooms;
  const right = ledger.now;
  await ledger.record(registered('c1', APRIL));
  ledger.setClock(new Date(right + 70 * 86_400_000).toISOString());
  const signedSize = () => signedLog.newest()?.size ?? 0;
  await until(() => signedSize() > 0);
  ledger.setClock(new Date(right).toISOString());
  await ledger.record(registered('c2', APRIL));
  const size = signedLog.tree.size;
  await until(() => {
    ledger.pass(1_800_000);
    return signedSize() >= size;
  });
  const signedAt = (await collect(signedLog.kept())).map((checkpoint) => checkpoint.signedAt);
  expect(signedAt).toEqual(signedAt.toSorted((a, b) => a - b));
});

test('metrics and readiness report the state of the log', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(...events(3));
  await signNow(ledger);
  ledger.pass(90_000);
  await ledger.record(...events(1, 3));
  await ledger.rooms.signedLog.waitUntilReady(60_000, 4);
  const { text } = await ledger.get('/metrics');
  expect(text).toMatch(/^ledger_log_size 4$/m);
  expect(text).toMatch(/^ledger_log_checkpoint_size 3$/m);
  expect(text).toMatch(/^ledger_log_checkpoint_age_seconds 90$/m);
  expect(text).toMatch(/^ledger_log_tampered 0$/m);
  expect((await ledger.get('/readyz')).body.checks.log).toEqual({
    ok: true,
    detail: '4 events, signed up to 3',
  });
});

test('the keys are published: the current one first, then the former ones', async () => {
  const ledger = await ledgerForTest();
  const { headers, text } = await ledger.get('/log/key');
  expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(text).toBe(`${ledger.rooms.signedLog.verifiers()[0]}\n`);
  const { origin } = ledger.rooms.signedLog;
  expect(text.startsWith(`${origin}+`)).toBe(true);
  await ledger.reopen();
  expect((await ledger.get('/log/key')).text).toBe(text);
});
