import type { EventStore, LogEvent } from '../eventstore/event-store.ts';
import { BoundedMap } from '../util/bounded-map.ts';
import { HASH_BYTES, hashLeaf, leafHash, leafText } from './leaf.ts';
import { encodeBundle, TILE_WIDTH } from './tiles.ts';
import { BlockMissing, type Blocks, LeavesChanged, MerkleTree } from './tree.ts';

/** Number of loaded blocks in memory; 16 KiB each for blocks of 256 leaves. */
const RECENT_BLOCKS = 256;

type Log = Pick<EventStore, 'follow' | 'readAll'>;

export interface LogTreeOptions {
  /** Height of the lowest nodes in memory (see `MerkleTree`). Default: 0, all nodes, 64 bytes per event. */
  readonly floor?: number;
  /** Yields leaf hashes of the beginning of the log, many at a time. The tree reads the rest of the log itself. */
  readonly beginning?: (signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /** Called if `beginning` fails. The tree then reads the log itself, which is slower. */
  readonly onSlow?: (error: unknown) => void;
  /** Called once if following the log fails and cannot continue. */
  readonly onFailed?: (error: unknown) => void;
  /** Called whenever the log turns out to have changed. */
  readonly onChanged?: (error: LeavesChanged) => void;
}

/** Size and root hash of a tree. */
export interface TreeHead {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/**
 * Follows a log and computes its Merkle tree: leaf `i` is the event at position `i + 1`. Only hashes are in memory. Methods that
 * need events or dropped hashes read the log again, and throw `LeavesChanged` if it does not match the tree.
 */
export class LogTree {
  readonly #log: Log;
  readonly #options: LogTreeOptions;
  readonly #tree: MerkleTree;
  /** Recently loaded blocks, since adjacent leaves are often requested together. */
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

  /** Number of leaves. */
  get size(): number {
    return this.#tree.size;
  }

  /** Whether the tree has all events that the log had at the start. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** Error that ended following; `undefined` while it continues. */
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

  /** Stops following. Pending waits reject. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#following;
  }

  /** Waits until the tree has all events that the log had at the start. @throws the error that ended following */
  waitUntilCaughtUp(): Promise<void> {
    return this.#until(() => this.#isCaughtUp);
  }

  /** Waits until the tree has `size` leaves. @throws the error that ended following */
  waitForSize(size: number): Promise<void> {
    return this.#until(() => this.#tree.size >= size);
  }

  /** Returns the size and the root hash of the whole tree, or of the first `size` leaves. @throws RangeError, LeavesChanged, StoreUnavailable */
  async sizeAndRoot(size = this.#tree.size): Promise<TreeHead> {
    return { size, root: await this.#withBlocks(() => this.#tree.root(size)) };
  }

  /** Returns whether the log begins with the tree of a checkpoint. @throws LeavesChanged, StoreUnavailable */
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

  /** Returns the hashes of a tile; see `MerkleTree.tile`. @throws RangeError, LeavesChanged, StoreUnavailable */
  tile(level: number, index: number, width = TILE_WIDTH): Promise<Uint8Array> {
    return this.#withBlocks(() => this.#tree.tile(level, index, width));
  }

  /** Returns the hash of a leaf. @throws RangeError, LeavesChanged, StoreUnavailable */
  async leafHash(index: number): Promise<Uint8Array> {
    const width = (index % TILE_WIDTH) + 1;
    return (await this.tile(0, Math.floor(index / TILE_WIDTH), width)).subarray(-HASH_BYTES);
  }

  /**
   * Returns an entry bundle: `width` leaves from 256 × `index`, read from the log and checked against the tree.
   * @throws RangeError if the tree is too small. @throws LeavesChanged, StoreUnavailable
   */
  entries(index: number, width = TILE_WIDTH): Promise<Buffer> {
    return this.#reportingChange(() => this.#entries(index, width));
  }

  async #entries(index: number, width: number): Promise<Buffer> {
    const hashes = await this.tile(0, index, width);
    const start = index * TILE_WIDTH;
    const leaves: Buffer[] = [];
    for await (const event of this.#events(start, width)) {
      const leaf = Buffer.from(leafText(event));
      const at = leaves.length * HASH_BYTES;
      if (Buffer.compare(leafHash(leaf), hashes.subarray(at, at + HASH_BYTES)) !== 0)
        throw new LeavesChanged(`leaf ${start + leaves.length} has changed`);
      leaves.push(leaf);
    }
    if (leaves.length < width) throw new LeavesChanged(`leaf ${start + leaves.length} is missing`);
    return encodeBundle(leaves);
  }

  /**
   * Reads the log again, computes its tree up to the current size, and compares it with the tree in memory.
   * @returns the size and the root hash.
   * @throws LeavesChanged, LeafError, StoreUnavailable
   */
  rebuild(): Promise<TreeHead> {
    return this.#reportingChange(() => this.#rebuild());
  }

  async #rebuild(): Promise<TreeHead> {
    const { size, root } = await this.sizeAndRoot();
    const rebuilt = new MerkleTree(this.#options.floor);
    for await (const event of this.#events(0, size)) append(rebuilt, event);
    if (rebuilt.size !== size || Buffer.compare(rebuilt.root(), root) !== 0)
      throw new LeavesChanged(`the first ${size} events of the log no longer have the root hash of the tree`);
    return { size, root };
  }

  async #follow(): Promise<void> {
    await this.#appendBeginning();
    for await (const { events, caughtUp } of this.#log.follow(this.#tree.size, this.#stop.signal)) {
      for (const event of events) append(this.#tree, event);
      this.#isCaughtUp ||= caughtUp;
      this.#wake();
    }
  }

  /** Appends the hashes that `beginning` yields. If it fails, the tree reads more of the log itself. */
  async #appendBeginning(): Promise<void> {
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

  /** Calls `compute`, and reads the blocks that it misses from the log. */
  #withBlocks<T>(compute: () => T): Promise<T> {
    return this.#reportingChange(async () => {
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

  /** Loads a block from memory or from the log. */
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

  async #reportingChange<T>(read: () => Promise<T>): Promise<T> {
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

  /** Reads `count` events from leaf `start`; fewer if the log ends before. */
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

/** Appends an event as the next leaf. */
function append(tree: MerkleTree, event: LogEvent): void {
  if (event.position !== tree.size + 1)
    throw new LeavesChanged(`the log has position ${event.position} after ${tree.size}`);
  const { digest } = event;
  if (digest === undefined) hashLeaf(leafText(event), scratch);
  tree.append(digest ?? scratch);
}
