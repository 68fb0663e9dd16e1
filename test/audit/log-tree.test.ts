import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LeafError, leafHash, leafText } from '../../src/audit/leaf.ts';
import { LogTree, type LogTreeOptions } from '../../src/audit/log-tree.ts';
import { parseBundle } from '../../src/audit/tiles.ts';
import { LeavesChanged, MerkleTree } from '../../src/audit/tree.ts';
import { verifyConsistency, verifyInclusion } from '../../src/audit/verify-proof.ts';
import type { LogEvent } from '../../src/eventstore/event-store.ts';
import { StoreUnavailable } from '../../src/eventstore/store-errors.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { anEvent } from '../support/store-events.ts';
import { eventsFor, hex } from './leaves.ts';

let store: MemoryStore;
let tree: LogTree;

/** Computes the tree of the log without following it. */
function batchRoot(size: number): string {
  const batch = new MerkleTree();
  for (const event of store.log.events.slice(0, size)) batch.append(leafHash(leafText(event)));
  return hex(batch.root());
}

/** A tree of the log, which it has read to its end. */
async function caughtUp(options?: LogTreeOptions): Promise<LogTree> {
  const following = new LogTree(store, options);
  following.start();
  await following.waitUntilCaughtUp();
  return following;
}

beforeEach(() => {
  store = new MemoryStore();
});
afterEach(() => tree.stop());

describe.each([0, 3, 8])('LogTree with floor %i', (floor) => {
  beforeEach(async () => {
    await store.append('cluster-a', eventsFor(400), 'absent');
    tree = await caughtUp({ floor });
  });

  test('has one leaf per event and grows with the log', async () => {
    expect(tree.size).toBe(400);
    await store.append('cluster-b', eventsFor(7, 400), 'absent');
    await store.append('~claims', eventsFor(3), 'absent');
    await tree.waitForSize(407);
    const { size, root } = await tree.sizeAndRoot();
    expect([size, hex(root)]).toEqual([407, batchRoot(407)]);
    expect(hex((await tree.sizeAndRoot(301)).root)).toBe(batchRoot(301));
  });

  test('proves the inclusion of each event and the consistency with each smaller tree', async () => {
    const [{ events }, { size, root }] = [store.log, await tree.sizeAndRoot()];
    for (const index of [0, 1, 255, 256, 399]) {
      const leaf = leafHash(leafText(events[index] as LogEvent));
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

  test.each<[string, Partial<LogEvent>]>([
    ['a figure', { data: { zone: 'süd 😀', n: 18, account: { '2': true, '10': null } } }],
    ['who posted it', { metadata: { actor: 'x' } }],
    ['when it was recorded', { recordedAt: 1_700_000_000_018 }],
    ['its type', { type: 'SomethingElse' }],
    ['its id', { id: '0a1b2c3d-4e5f-6a7b-8c9d-000000000001' }],
  ])('disagrees with its checkpoints after a change of %s of an event', async (_, change) => {
    const checkpoint = await tree.sizeAndRoot();
    store.log.events[17] = { ...(store.log.events[17] as LogEvent), ...change };
    const other = await caughtUp({ floor });
    expect(await other.agreesWith(checkpoint)).toBe(false);
    expect(await other.agreesWith({ size: 0, root: (await other.sizeAndRoot(0)).root })).toBe(true);
    await other.stop();
  });
});

describe('LogTree', () => {
  test.each([0, 3])('never returns entries or proofs of a changed log (floor %i)', async (floor) => {
    await store.append('cluster-a', eventsFor(300), 'absent');
    const changes: string[] = [];
    tree = await caughtUp({ floor, onChanged: ({ message }) => changes.push(message) });
    const log = store.log.events;
    const first = log[0] as LogEvent;
    log[0] = { ...first, data: {} };
    await expect(tree.entries(0)).rejects.toThrow(LeavesChanged);
    await expect(tree.rebuild()).rejects.toThrow(LeavesChanged);
    expect([changes[0], changes.at(-1)]).toEqual([
      floor > 0 ? 'leaves 0 to 7 have changed' : 'leaf 0 has changed',
      'the first 300 events of the log no longer have the root hash of the tree',
    ]);
    if (floor > 0) await expect(tree.inclusionProof(1)).rejects.toThrow(LeavesChanged);
    log[0] = first;
    await tree.rebuild();
    const [at257, at258] = [log[257] as LogEvent, log[258] as LogEvent];
    log[257] = { ...at258, position: 258 };
    await expect(tree.entries(1, 44)).rejects.toThrow(
      floor > 0 ? 'leaves 256 to 263 have changed' : 'leaf 257 has changed',
    );
    log[257] = at257;
    log.length = 290;
    await expect(tree.entries(1, 44)).rejects.toThrow(floor > 0 ? LeavesChanged : 'leaf 290 is missing');
    await expect(tree.rebuild()).rejects.toThrow(LeavesChanged);
    log.splice(5, 1);
    await expect(tree.rebuild()).rejects.toThrow('the log has position 7 after 5');
  });

  test('has the root of the empty tree for an empty log', async () => {
    tree = await caughtUp();
    const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    expect(hex((await tree.sizeAndRoot()).root)).toBe(empty);
  });

  test('fails at an event that cannot be a leaf, and rejects all waits', async () => {
    const failures: unknown[] = [];
    tree = await caughtUp({ onFailed: (error) => failures.push(error) });
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
    tree = await caughtUp();
    const waiting = expect(tree.waitForSize(1)).rejects.toThrow('aborted');
    await tree.stop();
    await waiting;
  });

  test('has caught up once it has all events that the log had at the start', async () => {
    await store.append('cluster-a', eventsFor(3), 'absent');
    tree = new LogTree(store);
    expect(tree.isCaughtUp).toBe(false);
    const waiting = tree.waitUntilCaughtUp();
    tree.start();
    await waiting;
    expect([tree.isCaughtUp, tree.size, tree.failure]).toEqual([true, 3, undefined]);
  });

  test('has not caught up while the store has more events, and remains caught up while it reads the next ones', async () => {
    const { promise: isRead, resolve } = Promise.withResolvers<void>();
    await store.append('cluster-a', eventsFor(3), 'absent');
    const [first, second, third] = store.log.events as [LogEvent, LogEvent, LogEvent];
    const slow = {
      readAll: store.readAll.bind(store),
      async *follow() {
        yield { events: [first], caughtUp: false };
        await isRead;
        yield { events: [second], caughtUp: true };
        yield { events: [third], caughtUp: false };
      },
    };
    tree = new LogTree(slow);
    tree.start();
    await tree.waitForSize(1);
    expect(tree.isCaughtUp).toBe(false);
    resolve();
    await tree.waitForSize(3);
    expect(tree.isCaughtUp).toBe(true);
  });

  test('takes the digests of events that were just written for their leaf hashes', async () => {
    await store.append('cluster-a', eventsFor(2), 'absent');
    const digest = leafHash(Buffer.from('a digest'));
    store.log.events[1] = { ...(store.log.events[1] as LogEvent), digest };
    tree = await caughtUp();
    expect(hex(await tree.leafHash(1))).toBe(hex(digest));
    expect(hex(await tree.leafHash(0))).toBe(hex(leafHash(leafText(store.log.events[0] as LogEvent))));
  });

  test('returns the hash of each leaf, also beyond the first tile', async () => {
    await store.append('cluster-a', eventsFor(300), 'absent');
    tree = await caughtUp();
    for (const index of [0, 1, 255, 256, 299])
      expect(hex(await tree.leafHash(index))).toBe(
        hex(leafHash(leafText(store.log.events[index] as LogEvent))),
      );
    await expect(tree.leafHash(300)).rejects.toThrow(RangeError);
  });

  test('proves for smaller trees than its own, too', async () => {
    await store.append('cluster-a', eventsFor(9), 'absent');
    tree = await caughtUp();
    const [old, small] = [await tree.sizeAndRoot(3), await tree.sizeAndRoot(7)];
    const leaf = await tree.leafHash(2);
    expect(verifyInclusion(await tree.inclusionProof(2, 7), 2, 7, leaf, small.root)).toBe(true);
    expect(verifyConsistency(await tree.consistencyProof(3, 7), 3, 7, old.root, small.root)).toBe(true);
  });

  test('reads each block of dropped hashes from the log once', async () => {
    await store.append('cluster-a', eventsFor(24), 'absent');
    tree = await caughtUp({ floor: 3 });
    const reads: number[] = [];
    const readAll = store.readAll.bind(store);
    store.readAll = (after) => {
      reads.push(after);
      return readAll(after);
    };
    for (const index of [0, 1, 9, 8, 7]) await tree.inclusionProof(index);
    expect(reads).toEqual([0, 8]);
  });

  test('reads no further than the leaves that it returns', async () => {
    await store.append('cluster-a', eventsFor(9), 'absent');
    tree = await caughtUp();
    const asked: number[] = [];
    store.readAll = async function* (after) {
      for (const event of store.log.events.slice(after)) {
        asked.push(event.position);
        yield [event];
      }
    };
    expect(parseBundle(await tree.entries(0, 4))).toHaveLength(4);
    expect(asked).toEqual([1, 2, 3, 4]);
    await expect(tree.entries(0, 0)).rejects.toThrow(RangeError);
    expect(asked).toEqual([1, 2, 3, 4]);
  });

  test('says how it fails only once, and reports no change that is none', async () => {
    const changes: unknown[] = [];
    tree = await caughtUp({ onChanged: (error) => changes.push(error) });
    await expect(tree.entries(0, 1)).rejects.toThrow(RangeError);
    expect(changes).toEqual([]);
  });

  test('needs nobody who is interested in its failures', async () => {
    await store.append('cluster-a', eventsFor(2), 'absent');
    tree = await caughtUp({
      // biome-ignore lint/correctness/useYield: it fails at once
      async *beginning() {
        throw new Error('out of memory');
      },
    });
    store.log.events.length = 1;
    await expect(tree.rebuild()).rejects.toThrow(LeavesChanged);
  });

  test('reads the whole log if no hashes come from elsewhere, and reports nothing then', async () => {
    const slow: unknown[] = [];
    await store.append('cluster-a', eventsFor(2), 'absent');
    tree = await caughtUp({ onSlow: (error) => slow.push(error) });
    expect([tree.size, slow]).toEqual([2, []]);
  });

  describe('given first hashes by another', () => {
    beforeEach(() => store.append('cluster-a', eventsFor(5), 'absent'));
    const hashes = (from: number, to: number) =>
      Buffer.concat(store.log.events.slice(from, to).map((event) => leafHash(leafText(event))));

    test('reads the rest of the log', async () => {
      const read: number[] = [];
      const follow = store.follow.bind(store);
      store.follow = (after, signal) => {
        read.push(after);
        return follow(after, signal);
      };
      tree = await caughtUp({
        async *beginning() {
          yield hashes(0, 2);
          yield hashes(2, 3);
        },
      });
      expect(read).toEqual([3]);
      const { size, root } = await tree.sizeAndRoot();
      expect([size, hex(root)]).toEqual([5, batchRoot(5)]);
    });

    test('reads what does not come, and reports why', async () => {
      const slow: unknown[] = [];
      tree = await caughtUp({
        async *beginning() {
          yield hashes(0, 2);
          throw new Error('out of memory');
        },
        onSlow: (error) => slow.push(error),
      });
      expect(slow).toEqual([new Error('out of memory')]);
      const { size, root } = await tree.sizeAndRoot();
      expect([size, hex(root)]).toEqual([5, batchRoot(5)]);
    });

    test('reports nothing if it is stopped meanwhile', async () => {
      const slow: unknown[] = [];
      const { promise: isAsked, resolve } = Promise.withResolvers<void>();
      tree = new LogTree(store, {
        async *beginning(signal) {
          yield hashes(0, 2);
          await new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(new Error('aborted')));
            resolve();
          });
        },
        onSlow: (error) => slow.push(error),
      });
      tree.start();
      await isAsked;
      await tree.stop();
      expect(slow).toEqual([]);
    });
  });
});
