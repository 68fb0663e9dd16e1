import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LeafError, leafHash, leafText } from '../../src/audit/leaf.ts';
import { LogTree } from '../../src/audit/log-tree.ts';
import { parseBundle } from '../../src/audit/tiles.ts';
import { LeavesChanged, MerkleTree } from '../../src/audit/tree.ts';
import { verifyConsistency, verifyInclusion } from '../../src/audit/verify-proof.ts';
import { SqliteStore } from '../../src/eventstore/sqlite/sqlite-store.ts';
import { StoreUnavailable } from '../../src/eventstore/store-errors.ts';
import { anEvent, readLog } from '../support/store-events.ts';
import { eventsFor, hex } from './leaves.ts';

let folder: string;
let store: SqliteStore;
let tree: LogTree;

/** Computes the tree of the log without following it. */
async function batchRoot(size: number): Promise<string> {
  const batch = new MerkleTree();
  for (const event of (await readLog(store)).slice(0, size)) batch.append(leafHash(leafText(event)));
  return hex(batch.root());
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-audit-'));
  store = await SqliteStore.open(join(folder, 'log.sqlite'));
});
afterEach(async () => {
  await tree.stop();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** Changes the file of a closed store, as a person with access to the disk can. */
async function tamper(sql: string): Promise<void> {
  await tree.stop();
  await store.close();
  const db = new DatabaseSync(join(folder, 'log.sqlite'));
  expect(db.prepare(sql).run().changes).toBe(1);
  db.close();
  store = await SqliteStore.open(join(folder, 'log.sqlite'));
}

describe.each([0, 3, 8])('LogTree with floor %i', (floor) => {
  beforeEach(async () => {
    await store.append('cluster-a', eventsFor(400), 'absent');
    tree = new LogTree(store, { floor });
    tree.start();
    await tree.waitUntilCaughtUp();
  });

  test('has one leaf per event and grows with the log', async () => {
    expect(tree.size).toBe(400);
    await store.append('cluster-b', eventsFor(7, 400), 'absent');
    await store.append('~claims', eventsFor(3), 'absent');
    await tree.waitForSize(407);
    const { size, root } = await tree.sizeAndRoot();
    expect([size, hex(root)]).toEqual([407, await batchRoot(407)]);
    expect(hex((await tree.sizeAndRoot(301)).root)).toBe(await batchRoot(301));
  });

  test('proves the inclusion of each event and the consistency with each smaller tree', async () => {
    const [events, { size, root }] = [await readLog(store), await tree.sizeAndRoot()];
    for (const index of [0, 1, 255, 256, 399]) {
      const leaf = leafHash(leafText(events[index] as (typeof events)[number]));
      expect(verifyInclusion(await tree.inclusionProof(index), index, size, leaf, root)).toBe(true);
    }
    for (const from of [1, 2, 255, 256, 257, 399]) {
      const old = await tree.sizeAndRoot(from);
      expect(verifyConsistency(await tree.consistencyProof(from), from, size, old.root, root)).toBe(true);
    }
  });

  test('returns entry bundles whose hashes are those of the level 0 tile', async () => {
    for (const [index, width] of [
      [0, 256],
      [1, 144],
      [1, 9],
    ] as const) {
      const hashes = parseBundle(await tree.entries(index, width)).map(leafHash);
      expect(hex(Buffer.concat(hashes))).toBe(hex(await tree.tile(0, index, width)));
    }
    await expect(tree.entries(1, 145)).rejects.toThrow(RangeError);
    await expect(tree.entries(2, 1)).rejects.toThrow(RangeError);
  });

  test('agrees with the checkpoints of its log and with no others', async () => {
    const checkpoint = await tree.sizeAndRoot(257);
    expect(await tree.agreesWith(checkpoint)).toBe(true);
    expect(await tree.agreesWith({ size: 256, root: checkpoint.root })).toBe(false);
    expect(await tree.agreesWith({ size: 401, root: checkpoint.root })).toBe(false);
    expect(await tree.rebuild()).toEqual(await tree.sizeAndRoot());
  });

  test.each([
    ['a figure', `UPDATE log SET data = replace(data, '"n":17,', '"n":18,') WHERE position = 18`],
    ['who posted it', `UPDATE log SET metadata = '{"actor":"x"}' WHERE position = 18`],
    ['when it was recorded', 'UPDATE log SET recorded_at = recorded_at + 1 WHERE position = 18'],
    ['its type', `UPDATE log SET type = 'SomethingElse' WHERE position = 18`],
    ['its id', `UPDATE log SET id = '0a1b2c3d-4e5f-6a7b-8c9d-000000000001' WHERE position = 18`],
  ])('disagrees with its checkpoints after a change of %s of an event', async (_, sql) => {
    const checkpoint = await tree.sizeAndRoot();
    await tamper(sql);
    const other = new LogTree(store, { floor });
    other.start();
    await other.waitUntilCaughtUp();
    expect(await other.agreesWith(checkpoint)).toBe(false);
    expect(await other.agreesWith({ size: 0, root: (await other.sizeAndRoot(0)).root })).toBe(true);
    await other.stop();
  });
});

describe('LogTree', () => {
  /** A log of events that can be changed under the tree, as a disk can under a store. */
  async function treeOver(count: number, floor: number) {
    await store.append('cluster-a', eventsFor(count), 'absent');
    const log = await readLog(store);
    const changing = {
      follow: store.follow.bind(store),
      async *readAll(after: number) {
        yield log.slice(after);
      },
    };
    tree = new LogTree(changing, { floor });
    tree.start();
    await tree.waitUntilCaughtUp();
    return log;
  }

  test.each([0, 3])('never returns entries or proofs of a changed log (floor %i)', async (floor) => {
    const log = await treeOver(300, floor);
    const [first] = log;
    if (first === undefined) throw new Error('the log is empty');
    log[0] = { ...first, data: {} };
    await expect(tree.entries(0)).rejects.toThrow(LeavesChanged);
    await expect(tree.rebuild()).rejects.toThrow(LeavesChanged);
    if (floor > 0) await expect(tree.inclusionProof(1)).rejects.toThrow(LeavesChanged);
    log[0] = first;
    await tree.rebuild();
    log.length = 290;
    await expect(tree.entries(1, 44)).rejects.toThrow(LeavesChanged);
    await expect(tree.rebuild()).rejects.toThrow(LeavesChanged);
    log.splice(5, 1);
    await expect(tree.rebuild()).rejects.toThrow('the log has position 7 after 5');
  });

  test('has the root of the empty tree for an empty log', async () => {
    tree = new LogTree(store);
    tree.start();
    await tree.waitUntilCaughtUp();
    const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    expect(hex((await tree.sizeAndRoot()).root)).toBe(empty);
  });

  test('fails at an event that cannot be a leaf, and rejects all waits', async () => {
    const failures: unknown[] = [];
    tree = new LogTree(store, { onFailed: (error) => failures.push(error) });
    tree.start();
    await tree.waitUntilCaughtUp();
    const waiting = expect(tree.waitForSize(2)).rejects.toThrow(LeafError);
    await store.append('cluster-a', [anEvent(), anEvent({ text: 'x'.repeat(65_535) })], 'absent');
    await waiting;
    expect(failures).toEqual([tree.failure]);
    await expect(tree.waitForSize(3)).rejects.toThrow(LeafError);
  });

  test('fails if following fails, and rejects pending waits when it is stopped', async () => {
    const down = {
      readAll: store.readAll.bind(store),
      follow(): never {
        throw new StoreUnavailable('down');
      },
    };
    tree = new LogTree(down);
    tree.start();
    await expect(tree.waitUntilCaughtUp()).rejects.toThrow(StoreUnavailable);
    tree = new LogTree(store);
    tree.start();
    await tree.waitUntilCaughtUp();
    const waiting = expect(tree.waitForSize(1)).rejects.toThrow('aborted');
    await tree.stop();
    await waiting;
  });
});
