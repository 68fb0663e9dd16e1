import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hashesInThread, type LogReader } from '../../src/audit/leaf-hash-worker-client.ts';
import { LogTree } from '../../src/audit/log-tree.ts';
import { SqliteStore } from '../../src/eventstore/sqlite/sqlite-store.ts';
import { eventsFor, hex } from './leaves.ts';

let folder: string;
let store: SqliteStore;
let reader: LogReader;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-thread-'));
  const file = join(folder, 'ledger.db');
  store = await SqliteStore.open(file);
  const module = new URL('../../src/eventstore/sqlite/log-reader.ts', import.meta.url).href;
  reader = { module, file };
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** Waits until the tree has the whole log, and returns its head and the errors of its worker thread. */
async function grown(given: LogReader | undefined) {
  const slow: unknown[] = [];
  const taken: number[] = [];
  async function* counted(signal: AbortSignal) {
    if (given === undefined) return;
    for await (const hashes of hashesInThread(given, signal)) {
      taken.push(hashes.length / 32);
      yield hashes;
    }
  }
  const tree = new LogTree(store, { floor: 8, beginning: counted, onSlow: (error) => slow.push(error) });
  tree.start();
  await tree.waitUntilCaughtUp();
  const { size, root } = await tree.sizeAndRoot();
  await tree.stop();
  return { size, root: hex(root), slow, taken: taken.reduce((sum, count) => sum + count, 0) };
}

describe('a tree whose leaves a worker thread hashes', () => {
  test.each([0, 1, 2_047, 2_048, 2_049, 5_001])(
    'is the same as one without, for %i events',
    async (count) => {
      if (count > 0) await store.append('cluster-a', eventsFor(count), 'absent');
      const { size, root } = await grown(undefined);
      expect(await grown(reader)).toEqual({ size, root, slow: [], taken: count });
    },
  );

  test('is completed by the main thread if the worker thread fails, and the failure is reported', async () => {
    await store.append('cluster-a', eventsFor(300), 'absent');
    const { size, root } = await grown(undefined);
    const found = await grown({ ...reader, file: join(folder, 'absent.db') });
    expect(found).toMatchObject({ size, root, taken: 0, slow: [expect.any(Error)] });
  });

  test('ends at once when it is stopped, and the store can still use the file', async () => {
    await store.append('cluster-a', eventsFor(3_000), 'absent');
    const tree = new LogTree(store, { beginning: (signal) => hashesInThread(reader, signal) });
    tree.start();
    await tree.stop();
    expect(tree.failure).toBeUndefined();
  });

  test('has more answers than requests in progress', async () => {
    const read = `export function* readLog() {
      const metadata = {}, data = {}, stream = 'a', type = 'T', recordedAt = 0;
      const id = '00000000-0000-4000-8000-000000000001';
      yield Array.from({ length: 10_241 }, (_, i) =>
        ({ id, type, stream, revision: i, position: i + 1, data, metadata, recordedAt }));
    }`;
    const module = `data:text/javascript,${encodeURIComponent(read)}`;
    const taken: number[] = [];
    for await (const hashes of hashesInThread({ module, file: '' }, new AbortController().signal))
      taken.push(hashes.length / 32);
    expect(taken).toEqual([2_048, 2_048, 2_048, 2_048, 2_048, 1]);
  });

  test('fails if the worker thread ends before the end of the log', async () => {
    const module = 'data:text/javascript,export function readLog() { process.exit(); }';
    const hashes = hashesInThread({ module, file: '' }, new AbortController().signal);
    await expect(hashes.next()).rejects.toThrow('the worker thread ended before the end of the log');
  });
});
