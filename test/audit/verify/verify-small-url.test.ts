import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { leafText } from '../../../src/audit/leaf.ts';
import { encodeBundle, tilePath } from '../../../src/audit/tiles.ts';
import { type UrlOptions, verifyUrl } from '../../../src/audit/verify/verify-url.ts';
import { forged } from '../../support/evidence.ts';
import { contentsOf, keys, ORIGIN, SmallLog, signerOf, smallLog } from './small-log.ts';

type Files = Map<string, string | Uint8Array | number>;

/** Publishes files, and a status in the place of one; whatever is asked for is noted. */
async function serve(files: Files): Promise<{ url: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const file = files.get(request.url ?? '') ?? 404;
    if (typeof file === 'number') response.writeHead(file).end();
    else response.end(file);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

async function verdictOn(files: Files, options: Partial<UrlOptions> = {}) {
  const { url } = await serve(files);
  return verifyUrl({ url, keys, ...options });
}

const ENTRIES = tilePath({ level: 'entries', index: 0, width: 8 });
const HASHES = tilePath({ level: 0, index: 0, width: 8 });
const log = smallLog();
const files = (change: (files: Files) => void = () => undefined): Files => {
  const published: Files = new Map(log.published);
  change(published);
  return published;
};
const bundle = log.published.get(ENTRIES) as Uint8Array;
const hashes = log.published.get(HASHES) as Uint8Array;

const summary = {
  origin: ORIGIN,
  size: 8,
  root: Buffer.from(log.tree.root()).toString('base64'),
  streams: 6,
  closings: 2,
  statementsChecked: false,
  consistentSince: undefined,
  evidence: undefined,
};

describe('an honest log', () => {
  test('verifies, with a summary of it', async () => {
    expect(await verdictOn(files())).toEqual({ ok: true, summary });
    expect(await verdictOn(files(), { statements: true })).toEqual({
      ok: true,
      summary: { ...summary, statementsChecked: true },
    });
  });

  test('verifies with an older checkpoint, and with evidence', async () => {
    expect(await verdictOn(files(), { olderCheckpoint: log.checkpoint(5) })).toEqual({
      ok: true,
      summary: { ...summary, consistentSince: 5 },
    });
    expect(await verdictOn(files(), { olderCheckpoint: log.checkpoint(8) })).toMatchObject({ ok: true });
    const evidence = await log.evidence(contentsOf(log));
    expect(await verdictOn(files(), { evidence })).toMatchObject({
      ok: true,
      summary: { ...summary, evidence: { clusters: 2, figure: 'statement' } },
    });
  });

  test('verifies with evidence of when it was smaller', async () => {
    const size = 7;
    const checkpoint = { note: log.checkpoint(size), size, root: log.tree.root(size) };
    const clusters = [
      { clusterId: 'c1', positions: [2] },
      { clusterId: 'c2', positions: [3, 6] },
    ];
    const evidence = await log.evidence(contentsOf(log, { checkpoint, clusters }));
    expect(await verdictOn(files(), { evidence })).toMatchObject({ ok: true });
  });

  test('is asked for at its address with or without slashes at the end, with the token that is given', async () => {
    const { url, requests } = await serve(files());
    expect(await verifyUrl({ url: `${url}//`, keys, token: 'secret' })).toMatchObject({ ok: true });
    expect(requests.map((request) => request.url)).toEqual(['/log/checkpoint', ENTRIES, HASHES]);
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer secret'));
    await verifyUrl({ url, keys });
    expect(requests.at(-1)?.headers.authorization).toBeUndefined();
  });

  test('may have full tiles only, and more in them than its checkpoint covers', async () => {
    const grown = files((all) => {
      all.delete(ENTRIES);
      all.delete(HASHES);
      all.set('/log/tile/entries/000', Buffer.concat([bundle, bundle]));
      all.set('/log/tile/0/000', Buffer.concat([hashes, Buffer.alloc(8_192 - hashes.length)]));
    });
    expect(await verdictOn(grown)).toEqual({ ok: true, summary });
  });

  test('verifies if it is empty', async () => {
    const none: Files = new Map([['/log/checkpoint', new SmallLog().checkpoint()]]);
    expect(await verdictOn(none)).toMatchObject({ ok: true, summary: { size: 0, streams: 0 } });
  });

  test('is read whole if it has many bundles, each with all of its events', async () => {
    const long = new SmallLog();
    for (let i = 0; i < 256 * 6 + 1; i++) long.add(`cluster-c${i % 7}`, 'X', { n: i });
    const published: Files = new Map([['/log/checkpoint', long.checkpoint()]]);
    const leaves = long.events.map((event) => Buffer.from(leafText(event)));
    for (const [index, width] of [256, 256, 256, 256, 256, 256, 1].entries()) {
      const from = index * 256;
      published.set(
        tilePath({ level: 'entries', index, width }),
        encodeBundle(leaves.slice(from, from + width)),
      );
      published.set(tilePath({ level: 0, index, width }), long.tree.tile(0, index, width));
    }
    published.set(tilePath({ level: 1, index: 0, width: 6 }), long.tree.tile(1, 0, 6));
    const seen: [number, number][] = [];
    const onProgress = (done: number, total: number) => void seen.push([done, total]);
    const { url, requests } = await serve(published);
    expect(await verifyUrl({ url, keys, onProgress })).toMatchObject({
      ok: true,
      summary: { size: 1537, streams: 7 },
    });
    expect(seen).toEqual([256, 512, 768, 1024, 1280, 1536, 1537].map((done) => [done, 1537]));
    expect(requests).toHaveLength(1 + 7 + 7 + 1);
  });
});

const other = signerOf('other.example', 2).verifier.toString();
const without = 'which its checkpoint covers';

describe('a log', () => {
  test.each<[check: string, why: string, change: (files: Files) => void]>([
    ['signature', 'the log has no checkpoint', (all) => all.delete('/log/checkpoint')],
    ['signature', 'the log has no checkpoint', (all) => all.set('/log/checkpoint', 410)],
    [
      'signature',
      'the checkpoint of the log is not signed by a key that was given: a note must be text, an empty line and signature lines',
      (all) => all.set('/log/checkpoint', 'x'),
    ],
    [
      'format',
      '/log/checkpoint is larger than the 65536 bytes it may have',
      (all) => all.set('/log/checkpoint', Buffer.alloc(65_537)),
    ],
    [
      'signature',
      'the checkpoint of the log is not signed by a key that was given: a note must not have control characters',
      (all) => all.set('/log/checkpoint', Buffer.alloc(65_536)),
    ],
    [
      'format',
      `${ENTRIES} is larger than the 16777472 bytes it may have`,
      (all) => all.set(ENTRIES, Buffer.alloc(16_777_473)),
    ],
    ['completeness', `the log does not have ${ENTRIES}, ${without}`, (all) => all.delete(ENTRIES)],
    ['completeness', `the log does not have ${HASHES}, ${without}`, (all) => all.delete(HASHES)],
    ['format', `${ENTRIES} has 0 entries, not 8`, (all) => all.set(ENTRIES, '')],
    [
      'format',
      `${ENTRIES}: the bundle ends within entry 7`,
      (all) => all.set(ENTRIES, bundle.subarray(0, -1)),
    ],
    ['format', `${HASHES} has 255 bytes, not 8 hashes`, (all) => all.set(HASHES, hashes.subarray(0, -1))],
    [
      'format',
      `${HASHES} is larger than the 8192 bytes it may have`,
      (all) => all.set(HASHES, Buffer.alloc(8_193)),
    ],
    [
      'consistency',
      'tile 0 of level 0 does not have the hashes of its entries',
      (all) => all.set(HASHES, Buffer.alloc(256)),
    ],
    [
      'format',
      'the entry at position 1 is not an event in canonical JSON',
      (all) => all.set(ENTRIES, encodeBundle(Array.from({ length: 8 }, () => Buffer.from('{}')))),
    ],
    [
      'consistency',
      'the first 8 events are not those of the newest checkpoint: something among them was changed',
      (all) => all.set('/log/checkpoint', log.checkpoint(8, new Uint8Array(32))),
    ],
  ])('is found out by the check of %s: %s', async (check, why, change) => {
    expect(await verdictOn(files(change))).toEqual({ ok: false, check, why });
  });

  test.each<[check: string, why: string, options: () => Partial<UrlOptions>]>([
    ['signature', 'no key was given to verify signatures with', () => ({ keys: [] })],
    [
      'signature',
      'the checkpoint of the log is not signed by a key that was given: none of the known keys has signed the note',
      () => ({ keys: [other] }),
    ],
    [
      'signature',
      `the older checkpoint is of the log other.example, not of ${ORIGIN}`,
      () => ({ olderCheckpoint: log.checkpoint(5, new Uint8Array(32), 'other.example') }),
    ],
    [
      'consistency',
      'the log of 8 events is shorter than the older checkpoint, which is of 9',
      () => ({ olderCheckpoint: log.checkpoint(9, new Uint8Array(32)) }),
    ],
    [
      'consistency',
      'the first 5 events are not those of the older checkpoint: something among them was changed',
      () => ({ olderCheckpoint: log.checkpoint(5, new Uint8Array(32)) }),
    ],
    [
      'format',
      'the file is not JSON in UTF-8: Unexpected end of JSON input',
      () => ({ evidence: new Uint8Array() }),
    ],
  ])('is not believed by the check of %s: %s', async (check, why, options) => {
    expect(await verdictOn(files(), options())).toEqual({ ok: false, check, why });
  });

  test('is found out if it goes back behind the evidence', async () => {
    const evidence = await log.evidence(contentsOf(log));
    expect(
      await verdictOn(
        files((all) => all.set('/log/checkpoint', log.checkpoint(5))),
        { evidence },
      ),
    ).toEqual({
      ok: false,
      check: 'consistency',
      why: 'the log of 5 events is shorter than the checkpoint of the evidence, which is of 8',
    });
  });

  test('is not read for evidence that does not verify alone', async () => {
    const evidence = forged(
      await log.evidence(contentsOf(log)),
      ({ statement }) => Object.assign(statement.total, { clusterSeconds: '1.000' }),
      log.log.sign,
    );
    const { url, requests } = await serve(files());
    expect(await verifyUrl({ url, keys, evidence })).toEqual({
      ok: false,
      check: 'statement',
      why: 'statement.total.clusterSeconds is "1.000"; by the facts it is "1468800.000"',
    });
    expect(requests).toHaveLength(0);
  });

  test('shows what sealed evidence lacks', async () => {
    const evidence = forged(
      await log.evidence(contentsOf(log)),
      ({ clusters: [c1] }) => c1.facts.pop(),
      log.log.sign,
    );
    expect(await verdictOn(files(), { evidence })).toEqual({
      ok: false,
      check: 'completeness',
      why: 'the evidence lacks the event at position 8 of the log (cluster-c1, revision 1)',
    });
  });

  test('shows that its statements are not those of its facts, if that is wanted', async () => {
    const lying = new SmallLog();
    for (const { stream, type, data } of log.events)
      lying.add(stream, type, stream === 'period-2026-02' ? { ...data, accounts: 7 } : data);
    expect(await verdictOn(new Map(lying.published))).toMatchObject({ ok: true });
    expect(await verdictOn(new Map(lying.published), { statements: true })).toEqual({
      ok: false,
      check: 'statement',
      why: 'the closing at position 7 is not that of its facts: 2026-02.accounts is 7; by the facts it is 2',
    });
  });
});

describe('a log that cannot be read', () => {
  test.each([400, 401, 403, 418])('is not asked again after the status %i', async (status) => {
    const { url, requests } = await serve(files((all) => all.set('/log/checkpoint', status)));
    await expect(verifyUrl({ url, keys })).rejects.toMatchObject({
      name: 'LogUnreachable',
      message: `/log/checkpoint was answered with status ${status}`,
    });
    expect(requests).toHaveLength(1);
  });

  test.each([429, 500])('is asked again after the status %i', async (status) => {
    let asked = 0;
    const busy = files();
    const checkpoint = busy.get('/log/checkpoint') as string;
    busy.get = (path) =>
      path !== '/log/checkpoint' ? Map.prototype.get.call(busy, path) : asked++ === 0 ? status : checkpoint;
    expect(await verdictOn(busy)).toMatchObject({ ok: true });
    expect(asked).toBe(2);
  });

  test('is given up after four attempts within two seconds', async () => {
    const { url, requests } = await serve(files((all) => all.set('/log/checkpoint', 503)));
    const begun = performance.now();
    await expect(verifyUrl({ url, keys })).rejects.toMatchObject({
      name: 'LogUnreachable',
      message: '/log/checkpoint could not be read: /log/checkpoint was answered with status 503',
    });
    expect(requests).toHaveLength(4);
    expect(performance.now() - begun).toBeGreaterThan(1_700);
  });

  test('is named with what went wrong below', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await expect(verifyUrl({ url: `http://127.0.0.1:${port}`, keys })).rejects.toThrow(
      `/log/checkpoint could not be read: fetch failed: connect ECONNREFUSED 127.0.0.1:${port}`,
    );
  });

  test('is given up at once when that is wanted', async () => {
    const { url, requests } = await serve(files((all) => all.set('/log/checkpoint', 503)));
    const stop = new AbortController();
    const verdict = verifyUrl({ url, keys, signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 100);
    await expect(verdict).rejects.toThrow();
    expect(requests.length).toBeLessThan(3);
    const aborted = AbortSignal.abort(new Error('never'));
    await expect(verifyUrl({ url, keys, signal: aborted })).rejects.toThrow('never');
  });
});
