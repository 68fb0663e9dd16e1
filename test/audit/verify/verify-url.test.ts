import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { formatCheckpoint } from '../../../src/audit/checkpoint-text.ts';
import { leafHash, leafText } from '../../../src/audit/leaf.ts';
import { signNote } from '../../../src/audit/note.ts';
import { NoteSigner } from '../../../src/audit/note-key.ts';
import { encodeBundle, TILE_WIDTH, tilePath } from '../../../src/audit/tiles.ts';
import { MerkleTree } from '../../../src/audit/tree.ts';
import { LogUnreachable, type UrlOptions, verifyUrl } from '../../../src/audit/verify/verify-url.ts';
import { event, registered } from '../../support/cloud-events.ts';
import { recordDispute } from '../../support/disputed.ts';
import { evidenceOf, forged, type Parsed, publishedKeys } from '../../support/evidence.ts';
import { openLedger, type TestLedger } from '../../support/ledger.ts';
import { anEvent } from '../../support/store-events.ts';

let ledger: TestLedger & { discard(): Promise<void> };
let older: string;
let keys: string[];
let evidence: Buffer;
let size: number;

beforeAll(async () => {
  ledger = await openLedger();
  older = await recordDispute(ledger);
  keys = await publishedKeys(ledger);
  evidence = await evidenceOf(ledger, 'acme', '2026-02');
  const many = Array.from({ length: 600 }, (_, i) =>
    i < 20
      ? registered(`m${i}`, '2026-04-01T00:00:00Z', 'umbrella')
      : event('cluster.reachable', `m${i % 20}`, '2026-04-01T00:00:00Z', {}),
  );
  await ledger.postBatch(many);
  size = await ledger.head();
  await ledger.fetch('/log/checkpoint', { method: 'POST' });
});
afterAll(() => ledger.discard());

type Answer = { readonly status: number; readonly body: Uint8Array };
/** Change that somebody between the log and its reader makes to an answer. */
type Tampering = (path: string, answer: Answer) => Answer | Promise<Answer>;

/** The address of somebody who hands on what the log says, or something else. */
async function through(tampering: Tampering, port = ledger.port): Promise<string> {
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    void fetch(`http://127.0.0.1:${port}${path}`)
      .then(async (original) => ({ status: original.status, body: await original.bytes() }))
      .then((answer) => tampering(path, answer))
      .then(({ status, body }) => response.writeHead(status).end(body))
      // The reader has gone, and so may have the log.
      .catch(() => response.destroy());
  });
  return listening(server);
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const verified = async (tampering: Tampering, options: Partial<UrlOptions> = {}) =>
  verifyUrl({ url: await through(tampering), keys, ...options });
const honest: Tampering = (_, answer) => answer;
const on =
  (paths: RegExp, change: (body: Buffer) => Uint8Array): Tampering =>
  (path, answer) =>
    paths.test(path) ? { ...answer, body: change(Buffer.from(answer.body)) } : answer;
const flipped = (at: number) => (body: Buffer) => {
  const place = (at + body.length) % body.length;
  body[place] = (body[place] as number) ^ 1;
  return body;
};

describe('an honest log', () => {
  test('is what its newest checkpoint was signed over, and continues the older one', async () => {
    const seen: number[] = [];
    const onProgress = (done: number, total: number) => void seen.push(done, total);
    const options = { olderCheckpoint: older, evidence, statements: true, onProgress };
    expect(await verified(honest, options)).toMatchObject({
      ok: true,
      summary: { size, closings: 3, statementsChecked: true, consistentSince: 6, evidence: { clusters: 4 } },
    });
    expect(size).toBeGreaterThan(2 * TILE_WIDTH);
    expect(seen).toEqual([256, size, 512, size, size, size]);
  });

  test('is read at the size of its checkpoint, also where it has since filled the tiles of that', async () => {
    const grown: Tampering = (path, answer) => {
      if (path === '/log/checkpoint') return { ...answer, body: Buffer.from(older) };
      return /\/000\.p\//.test(path) ? { status: 404, body: Buffer.alloc(0) } : answer;
    };
    expect(await verified(grown)).toMatchObject({ ok: true, summary: { size: 6 } });
  });
});

describe.each<[lie: string, check: string, why: RegExp, tampering: Tampering]>([
  [
    'another event',
    'consistency',
    /first 6 events are not those of the older checkpoint/,
    on(/entries\/000/, (body) =>
      Buffer.from(body.toString('latin1').replace('2026-01-10', '2026-01-11'), 'latin1'),
    ),
  ],
  [
    'a bundle that ends early',
    'format',
    /entries\/000: the bundle ends within entry 255/,
    on(/entries\/000/, (body) => body.subarray(0, -1)),
  ],
  [
    'a bundle with too few',
    'format',
    /entries\/001 has 0 entries, not 256/,
    on(/entries\/001/, () => Buffer.alloc(0)),
  ],
  [
    'a bundle that never ends',
    'format',
    /is larger than the 16777472 bytes/,
    on(/entries\/001/, () => Buffer.alloc(17_000_000)),
  ],
  ['an entry that is not an event', 'format', /position 1 is not an event/, on(/entries\/000/, flipped(2))],
  [
    'a hash of a full tile',
    'consistency',
    /tile 1 of level 0 does not have the hashes/,
    on(/tile\/0\/001/, flipped(33)),
  ],
  ['a hash of a partial tile', 'consistency', /tile 2 of level 0/, on(/tile\/0\/002/, flipped(-1))],
  ['a hash further up', 'consistency', /tile 0 of level 1/, on(/tile\/1\/000/, flipped(0))],
  [
    'a tile that is not there',
    'completeness',
    /does not have \/log\/tile\/entries\/001/,
    (path, answer) => (path.includes('entries/001') ? { ...answer, status: 404 } : answer),
  ],
  [
    'no checkpoint',
    'signature',
    /the log has no checkpoint/,
    (path, answer) => (path === '/log/checkpoint' ? { ...answer, status: 404 } : answer),
  ],
  [
    'a checkpoint that nobody signed',
    'signature',
    /checkpoint of the log is not signed/,
    on(/checkpoint/, flipped(-5)),
  ],
])('somebody who hands on %s', (_, check, why, tampering) => {
  test(`is found out by the check of ${check}`, async () => {
    const verdict = await verified(tampering, { olderCheckpoint: older });
    expect(verdict).toEqual({ ok: false, check, why: expect.stringMatching(why) });
  });
});

test('a log that goes back behind what was signed is found out', async () => {
  const back = on(/checkpoint/, () => Buffer.from(older));
  const { text: newest } = await ledger.get('/log/checkpoint');
  expect(await verified(back, { olderCheckpoint: newest })).toEqual({
    ok: false,
    check: 'consistency',
    why: expect.stringMatching(/the log of 6 events is shorter than the older checkpoint/),
  });
  expect(await verified(back, { evidence })).toMatchObject({ ok: false, check: 'consistency' });
});

/** Lies that a file alone cannot show and the whole log does, so that nobody has to trust the ledger. */
describe.each<[what: string, why: RegExp, change: (evidence: Parsed) => void]>([
  [
    'the last fact of a cluster',
    /lacks the event at position 16 of the log \(cluster-c1, revision 6\)/,
    ({ clusters }) => {
      clusters[0].facts.pop();
    },
  ],
  [
    'a cluster',
    /lacks cluster c9, which is given to acme at position 18/,
    ({ clusters }) => {
      clusters.splice(2, 1);
    },
  ],
  [
    'the last closing',
    /lacks the event at position 17 of the log \(period-2026-03/,
    ({ closings }) => {
      closings.pop();
    },
  ],
])('evidence that the ledger has sealed without %s', (_, why, change) => {
  test('is found out by who reads the whole log', async () => {
    const lie = forged(evidence, change, (text) => ledger.rooms.signedLog.sign(text));
    const verdict = await verified(honest, { evidence: lie });
    expect(verdict).toEqual({ ok: false, check: 'completeness', why: expect.stringMatching(why) });
  });
});

/** Publishes leaves under a key of their own. */
async function published(leaves: readonly string[]): Promise<{ url: string; keys: string[] }> {
  const signer = NoteSigner.generate('gap.example');
  const tree = new MerkleTree();
  for (const leaf of leaves) tree.append(leafHash(leaf));
  const checkpoint = formatCheckpoint({ origin: 'gap.example', size: leaves.length, root: tree.root() });
  const width = leaves.length;
  const files = new Map<string, string | Uint8Array>([
    ['/log/checkpoint', signNote(checkpoint, [signer])],
    [tilePath({ level: 0, index: 0, width }), tree.tile(0, 0, width)],
    [tilePath({ level: 'entries', index: 0, width }), encodeBundle(leaves.map((leaf) => Buffer.from(leaf)))],
  ]);
  const server = createServer((request, response) => {
    const file = files.get(request.url ?? '');
    response.writeHead(file === undefined ? 404 : 200).end(file);
  });
  return { url: await listening(server), keys: [signer.verifier.toString()] };
}

describe('a log that signed what it should not have', () => {
  const leaf = (revision: number, more: object = {}) =>
    leafText({ ...anEvent({ n: revision }), stream: 'cluster-c1', revision, ...more });
  const id = '00000000-0000-4000-8000-000000000001';

  test.each([
    [
      'a gap in a stream',
      /cluster-c1 goes on with revision 2, at position 2, where 1 is due/,
      [leaf(0), leaf(2)],
    ],
    ['a stream that does not begin', /cluster-c1 goes on with revision 1, at position 1/, [leaf(1)]],
    ['one id twice', /position 2 has an id that stood before/, [leaf(0, { id }), leaf(1, { id })]],
    [
      'an event in another form',
      /position 1 is not an event in canonical JSON/,
      [leaf(0).replace('{', '{ ')],
    ],
    ['no event', /position 1 is not an event/, ['{"n":1}']],
  ])('is found out by %s', async (_, why, leaves) => {
    expect(await verifyUrl(await published(leaves))).toMatchObject({
      ok: false,
      why: expect.stringMatching(why),
    });
    expect(await verifyUrl(await published([leaf(0), leaf(1)]))).toMatchObject({ ok: true });
  });
});

describe('a log that cannot be read', () => {
  test('is not called wrong: nothing is known of it', async () => {
    const nobody = createServer();
    const url = await listening(nobody);
    nobody.closeAllConnections();
    nobody.close();
    await expect(verifyUrl({ url, keys })).rejects.toThrow(LogUnreachable);
    const refusing: Tampering = (_, answer) => ({ ...answer, status: 403 });
    await expect(verified(refusing)).rejects.toThrow(/\/log\/checkpoint was answered with status 403/);
  });

  test('is asked again where it was busy', async () => {
    let refused = 0;
    const busy: Tampering = (_, answer) => (refused++ % 2 === 0 ? { ...answer, status: 503 } : answer);
    expect(await verified(busy)).toMatchObject({ ok: true });
  });

  test('is given up when that is wanted', async () => {
    const stop = new AbortController();
    const stopping: Tampering = (path, answer) => {
      if (path.includes('entries')) stop.abort(new Error('enough'));
      return answer;
    };
    await expect(verified(stopping, { signal: stop.signal })).rejects.toThrow('enough');
  });
});
