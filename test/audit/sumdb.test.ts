import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseCheckpoint } from '../../src/audit/checkpoint-text.ts';
import { openNote } from '../../src/audit/note.ts';
import { NoteSigner, NoteVerifier } from '../../src/audit/note-key.ts';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { until } from '../support/until.ts';
import { buildVerifier, canRun, why } from './go.ts';
import { PublishedLog } from './published-log.ts';

const run = promisify(execFile);

/** golang.org/x/mod/sumdb verifies the checksum database of Go: an independent implementation of the same formats. */
describe.skipIf(!canRun)(`golang.org/x/mod/sumdb${why}`, () => {
  let folder: string;
  let verifier: string;
  let logs = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ledger-sumdb-'));
    verifier = join(folder, 'verifier');
    await buildVerifier(verifier, folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function verify(log: PublishedLog): Promise<{ said: string; at: string }> {
    const at = join(folder, `log-${++logs}`);
    await log.write(at);
    const { stdout } = await run(verifier, [at]);
    return { said: stdout.trim(), at };
  }

  test.each([1, 2, 255, 256, 257, 600, 65_537])(
    'verifies checkpoint, tiles, entry bundles and proofs of a log of %i events',
    async (size) => {
      expect((await verify(new PublishedLog(size))).said).toBe(`verified ${size}`);
    },
  );

  test.each([
    ['checkpoint', 40],
    ['checkpoint', 1_000],
    ['keys', 300],
    ['/log/tile/0/000', 77],
    ['/log/tile/0/001.p/44', 77],
    ['/log/tile/1/000.p/1', 77],
    ['/log/tile/entries/000', 7_777],
    ['/log/tile/entries/001.p/44', 7_777],
  ])('rejects a log with one bit of %s flipped', async (path, bit) => {
    const log = new PublishedLog(300);
    log.flip(path, bit);
    await expect(verify(log)).rejects.toThrow();
  });

  test('signs notes and generates keys that the ledger reads', async () => {
    const { at } = await verify(new PublishedLog(3));
    const [key = '', secret = ''] = (await readFile(join(at, 'key-of-go'), 'utf8')).split('\n');
    const { text } = openNote(await readFile(join(at, 'signed-by-go')), [NoteVerifier.parse(key)]);
    expect(parseCheckpoint(text)).toMatchObject({ origin: 'ledger.example/log', size: 3 });
    expect(NoteSigner.parse(secret).verifier.toString()).toBe(key);
  });

  test('verifies a running ledger over HTTP as it grows', async () => {
    const ledger = await ledgerForTest();
    const url = `http://127.0.0.1:${ledger.port}`;
    let size = 0;
    for (const wanted of [1, 2, 255, 256, 257, 65_537]) {
      while (size < wanted) {
        const count = Math.min(1_000, wanted - size);
        const events = Array.from({ length: count }, (_, n) =>
          registered(`c${size + n}`, '2026-04-01T00:00:00.000Z', 'acme', { name: 'süd 😀' }),
        );
        expect((await ledger.postBatch(events)).text).not.toContain('rejected');
        size += count;
      }
      await until(async () => (await ledger.fetch('/log/checkpoint', { method: 'POST' })).status === 200);
      expect((await run(verifier, [url])).stdout.trim()).toBe(`verified ${wanted}`);
    }
    // A second time after a restart, when the tree was computed again.
    await ledger.reopen();
    await until(async () => (await ledger.get('/log/checkpoint')).status === 200);
    const { stdout } = await run(verifier, [`http://127.0.0.1:${ledger.port}`]);
    expect(stdout.trim()).toBe(`verified ${size}`);
  });
});
