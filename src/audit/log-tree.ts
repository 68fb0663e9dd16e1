import type { EventStore, LogEvent } from '../eventstore/event-store.ts';
import { BoundedMap } from '../util/bounded-map.ts';
import { HASH_BYTES, hashLeaf, leafHash, leafText } from './leaf.ts';
import { encodeBundle, TILE_WIDTH } from './tiles.ts';
import { BlockMissing, type Blocks, LeavesChanged, MerkleTree } from './tree.ts';

/** Blocks that are not dropped at once again, at 16 KiB each where a block is 256 leaves. */
const RECENT_BLOCKS = 256;

type Log = Pick<EventStore, 'follow' | 'readAll'>;

export interface LogTreeOptions {
  /** Height of the lowest nodes that are kept in memory (see `MerkleTree`). Default 0, all: 64 bytes per event. */
  readonly floor?: number;
  /** Gives leaf hashes of the beginning of the log, many at a time; what is behind them is read here. */
  readonly beginning?: (signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /** Told why `beginning` ended early. */
  readonly onSlow?: (error: unknown) => void;
  /** Told once when following has failed for good. */
  readonly onFailed?: (error: unknown) => void;
  /** Told whenever the log was found not to be what it was. */
  readonly onChanged?: (error: LeavesChanged) => void;
}

/** Size and root hash of a tree. */
export interface TreeHead {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/**
 * Keeps the Merkle tree of a log at its end: leaf `i` is the event at position `i + 1`. It holds hashes only. What needs
 * events, or hashes that were dropped, reads them again and throws `LeavesChanged` where they are not those of the tree.
 */
export class LogTree {
  readonly #log: Log;
  readonly #options: LogTreeOptions;
  readonly #tree: MerkleTree;
  /** Blocks that were read again lately: neighbours are often asked for together. */
  readonly #recent: Blocks = new BoundedMap(RECENT_BLOCKS);
  readonly #stop = new AbortController();
  readonly #waiting = new Set<() => void>();
  #following: Promise<void> = Promise.resolve();
  #isCaughtUp = false;
  #failure: unknown;

  constructor(log: Log, options: LogTreeOptions = {}) {
    this.#log = log;
    this.#options = options;
    this.#tree = new MerkleTree(options.floor);
  }

  /** Leaves so far. */
  get size(): number {
    return this.#tree.size;
  }

  /** Whether all that was in the log at the start is in the tree. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** Why following ended for good; `undefined` while it goes on. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Follows the log from its beginning. */
  start(): void {
    this.#following = this.#follow().catch((error: unknown) => {
      this.#failure = error;
      this.#wake();
      this.#options.onFailed?.(error);
    });
  }

  /** Ends following; whoever waits is let go. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#following;
  }

  /** Waits until all that was in the log at the start is in the tree. @throws what made following end */
  caughtUp(): Promise<void> {
    return this.#until(() => this.#isCaughtUp);
  }

  /** Waits until the tree has `size` leaves: until the event at that position is in it. @throws what made following end */
  reached(size: number): Promise<void> {
    return this.#until(() => this.#tree.size >= size);
  }

  /** Size and root hash of the whole tree, or of the first `size` leaves. @throws RangeError, LeavesChanged, StoreUnavailable */
  async sizeAndRoot(size = this.#tree.size): Promise<TreeHead> {
    return { size, root: await this.#withBlocks(() => this.#tree.root(size)) };
  }

  /** Whether the log still begins with the tree that a checkpoint is of. @throws LeavesChanged, StoreUnavailable */
  async agreesWith({ size, root }: TreeHead): Promise<boolean> {
    if (size > this.#tree.size) return false;
    return Buffer.compare((await this.sizeAndRoot(size)).root, root) === 0;
  }

  /** See `MerkleTree.inclusionProof`. @throws RangeError, LeavesChanged, StoreUnavailable */
  inclusionProof(index: number, size = this.#tree.size): Promise<Uint8Array> {
    return this.#withBlocks(() => this.#tree.inclusionProof(index, size));
  }

  /** See `MerkleTree.consistencyProof`. @throws RangeError, LeavesChanged, StoreUnavailable */
  consistencyProof(from: number, to = this.#tree.size): Promise<Uint8Array> {
    return this.#withBlocks(() => this.#tree.consistencyProof(from, to));
  }

  /** The hashes of a tile; see `MerkleTree.tile`. @throws RangeError, LeavesChanged, StoreUnavailable */
  tile(level: number, index: number, width = TILE_WIDTH): Promise<Uint8Array> {
    return this.#withBlocks(() => this.#tree.tile(level, index, width));
  }

  /** Hash of a leaf. @throws RangeError, LeavesChanged, StoreUnavailable */
  async leafHash(index: number): Promise<Uint8Array> {
    const width = (index % TILE_WIDTH) + 1;
    return (await this.tile(0, Math.floor(index / TILE_WIDTH), width)).subarray(-HASH_BYTES);
  }

  /**
   * An entry bundle: `width` leaves from 256 × `index` on, read from the log and checked against the tree.
   * @throws RangeError where the tree has not grown so far. @throws LeavesChanged, StoreUnavailable
   */
  entries(index: number, width = TILE_WIDTH): Promise<Buffer> {
    return this.#tellingChange(() => this.#entries(index, width));
  }

  async #entries(index: number, width: number): Promise<Buffer> {
    const hashes = await this.tile(0, index, width);
    const start = index * TILE_WIDTH;
    const leaves: Buffer[] = [];
    for await (const event of this.#events(start, width)) {
      const leaf = Buffer.from(leafText(event));
      const at = leaves.length * HASH_BYTES;
      if (Buffer.compare(leafHash(leaf), hashes.subarray(at, at + HASH_BYTES)) !== 0)
        throw new LeavesChanged(`leaf ${start + leaves.length} is not what it was`);
      leaves.push(leaf);
    }
    if (leaves.length < width) throw new LeavesChanged(`leaf ${start + leaves.length} is gone`);
    return encodeBundle(leaves);
  }

  /**
   * Computes the tree once more from what the log holds now, up to the size it has, and compares.
   * @returns size and root hash, which are those of before.
   * @throws LeavesChanged, LeafError, StoreUnavailable
   */
  rebuild(): Promise<TreeHead> {
    return this.#tellingChange(() => this.#rebuild());
  }

  async #rebuild(): Promise<TreeHead> {
    const { size, root } = await this.sizeAndRoot();
    const rebuilt = new MerkleTree(this.#options.floor);
    for await (const event of this.#events(0, size)) append(rebuilt, event);
    if (rebuilt.size !== size || Buffer.compare(rebuilt.root(), root) !== 0)
      throw new LeavesChanged(`the log no longer gives the tree of its first ${size} events`);
    return { size, root };
  }

  async #follow(): Promise<void> {
    await this.#takeBeginning();
    for await (const { events, caughtUp } of this.#log.follow(this.#tree.size, this.#stop.signal)) {
      for (const event of events) append(this.#tree, event);
      this.#isCaughtUp ||= caughtUp;
      this.#wake();
    }
  }

  /** Whoever fails to give the beginning leaves more to read here, and that is all. */
  async #takeBeginning(): Promise<void> {
    try {
      for await (const hashes of this.#options.beginning?.(this.#stop.signal) ?? []) {
        for (let at = 0; at < hashes.length; at += HASH_BYTES) this.#tree.append(hashes.subarray(at));
        await new Promise(setImmediate);
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#options.onSlow?.(error);
    }
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#failure !== undefined) throw this.#failure;
      this.#stop.signal.throwIfAborted();
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /** Computes something of the tree, and reads from the log what it misses. */
  #withBlocks<T>(compute: () => T): Promise<T> {
    return this.#tellingChange(async () => {
      const blocks: Blocks = new Map();
      for (;;) {
        try {
          return this.#tree.using(blocks, compute);
        } catch (error) {
          if (!(error instanceof BlockMissing)) throw error;
          await this.#load(blocks, error);
        }
      }
    });
  }

  /** Takes a block from those that were read lately, or reads it again. */
  async #load(blocks: Blocks, { start, leaves }: BlockMissing): Promise<void> {
    const number = start / leaves;
    let columns = this.#recent.get(number);
    if (columns === undefined) {
      const read: Blocks = new Map();
      this.#tree.load(read, start, await this.#leafHashes(start, leaves));
      columns = read.get(number) as NonNullable<typeof columns>;
      this.#recent.set(number, columns);
    }
    blocks.set(number, columns);
  }

  async #tellingChange<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (error instanceof LeavesChanged) this.#options.onChanged?.(error);
      throw error;
    }
  }

  async #leafHashes(start: number, count: number): Promise<Uint8Array> {
    const hashes = Buffer.alloc(count * HASH_BYTES);
    let at = 0;
    for await (const event of this.#events(start, count)) {
      hashLeaf(leafText(event), hashes.subarray(at));
      at += HASH_BYTES;
    }
    return hashes.subarray(0, at);
  }

  /** `count` events from leaf `start` on; fewer where the log ends before. */
  async *#events(start: number, count: number): AsyncGenerator<LogEvent> {
    let left = count;
    if (left === 0) return;
    for await (const events of this.#log.readAll(start)) {
      for (const event of events) {
        yield event;
        if (--left === 0) return;
      }
    }
  }
}

const scratch = Buffer.alloc(HASH_BYTES);

/** Adds an event as the next leaf. */
function append(tree: MerkleTree, event: LogEvent): void {
  if (event.position !== tree.size + 1)
    throw new LeavesChanged(`position ${event.position} follows ${tree.size} in the log`);
  hashLeaf(leafText(event), scratch);
  tree.append(scratch);
}
