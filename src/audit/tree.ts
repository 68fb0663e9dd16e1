import { hash } from 'node:crypto';
import { allocate, HASH_WORDS, HashColumn, type Hashes, hashPair } from './hash-column.ts';
import { HASH_BYTES } from './leaf.ts';
import { TILE_HEIGHT, TILE_WIDTH } from './tiles.ts';

/** The most leaves of a tree in memory; so that shifts of 32-bit numbers hold. */
const MAX_LEAVES = 2 ** 30;
/** Heights of nodes that a tree of `MAX_LEAVES` can have, and one more. */
const HEIGHTS = 32;

/** Nodes below the floor of blocks that were given back, by number of the block. */
export type Blocks = Map<number, readonly HashColumn[]>;

/** Hashes of these leaves are no longer in memory: give them back with `load`, and ask again `using` them. */
export class BlockMissing extends Error {
  override readonly name = 'BlockMissing';
  /** Number of the first leaf. */
  readonly start: number;
  readonly leaves: number;

  constructor(start: number, leaves: number) {
    super(`the hashes of ${leaves} leaves from ${start} on are not in memory`);
    this.start = start;
    this.leaves = leaves;
  }
}

/** Leaves are not what they were when they were added to the tree. */
export class LeavesChanged extends Error {
  override readonly name = 'LeavesChanged';
}

/**
 * The Merkle tree of RFC 9162, §2.1, of SHA-256 hashes, fed with leaf hashes in order. A node is named by its height (a leaf
 * has 0) and its number at that height; once all leaves below it are there it never changes, and is kept.
 *
 * Memory: 64 bytes per leaf, or 64 / 2^floor with a floor, since nodes below that height are dropped once the block of
 * 2^floor leaves around them is complete. What needs them then throws `BlockMissing`, and the block comes back from the log.
 *
 * A proof is a number of hashes one after the other, 32 bytes each, in the order of RFC 9162.
 */
export class MerkleTree {
  readonly #floor: number;
  /** Nodes by height. Below the floor: those of the block that is being filled. */
  readonly #columns: HashColumn[];
  #given: Blocks | undefined;
  #size = 0;
  /** See `#fillEdge`. */
  readonly #edge = allocate(HEIGHTS);
  #edgeSize = 0;

  /** @param floor height of the lowest nodes that are kept for good, from 0 (all) to 8 (256 leaves are a block). */
  constructor(floor = 0) {
    if (!Number.isInteger(floor) || floor < 0 || floor > TILE_HEIGHT)
      throw new RangeError(`a floor is 0 to 8, not ${floor}`);
    this.#floor = floor;
    this.#columns = Array.from({ length: HEIGHTS }, (_, height) =>
      height < floor ? new HashColumn(2 ** (floor - height)) : new HashColumn(),
    );
  }

  /** Number of leaves. */
  get size(): number {
    return this.#size;
  }

  /** Adds a leaf. @param leafHash 32 bytes; copied. */
  append(leafHash: Uint8Array): void {
    if (this.#size === MAX_LEAVES) throw new RangeError(`the tree is full: it has ${MAX_LEAVES} leaves`);
    grow(this.#columns, leafHash, this.#size++);
    const floor = this.#floor;
    if (floor > 0 && this.#size % 2 ** floor === 0)
      for (let height = 0; height < floor; height++) this.#columns[height]?.clear();
  }

  /**
   * Adds to `blocks` one that the tree has dropped.
   * @param start number of its first leaf, and `leafHashes` its hashes, 32 bytes each, as `BlockMissing` asked for.
   * @throws LeavesChanged they are not those that the tree was fed with.
   */
  load(blocks: Blocks, start: number, leafHashes: Uint8Array): void {
    const floor = this.#floor;
    const columns = Array.from(
      { length: floor + 1 },
      (_, height) => new HashColumn(2 ** (floor - height + 1)),
    );
    const leaves = 2 ** floor;
    if (leafHashes.length !== leaves * HASH_BYTES)
      throw new LeavesChanged(`${leafHashes.length} bytes are no ${leaves} hashes of leaves`);
    for (let i = 0; i < leaves; i++) grow(columns, leafHashes.subarray(i * HASH_BYTES), i);
    const block = start >> floor;
    (columns[floor] as HashColumn).copyTo(0, scratch.words, 0);
    this.#copyNode(floor, block, scratch.words, HASH_WORDS);
    const { bytes } = scratch;
    if (bytes.compare(bytes, HASH_BYTES, 2 * HASH_BYTES, 0, HASH_BYTES) !== 0)
      throw new LeavesChanged(`leaves ${start} to ${start + leaves - 1} are not what they were`);
    blocks.set(block, columns);
  }

  /** Computes something with blocks at hand that were given back. */
  using<T>(blocks: Blocks, compute: () => T): T {
    this.#given = blocks;
    try {
      return compute();
    } finally {
      this.#given = undefined;
    }
  }

  /** Hash of the tree of the first `size` leaves, 32 bytes. @throws RangeError, BlockMissing */
  root(size = this.#size): Uint8Array {
    this.#check(size);
    if (size === 0) return hash('sha256', '', 'buffer');
    const place = 32 - Math.clz32(size);
    this.#fillEdge(size);
    return copyOf(this.#edge, place * HASH_WORDS, (place + 1) * HASH_WORDS);
  }

  /**
   * Proves that a leaf is one of the first `size`: PATH of RFC 9162, §2.1.3.1.
   * @param index number of the leaf, from 0.
   * @throws RangeError, BlockMissing
   */
  inclusionProof(index: number, size = this.#size): Uint8Array {
    this.#check(size);
    if (!Number.isInteger(index) || index < 0 || index >= size)
      throw new RangeError(`leaf ${index} is not in a tree of ${size}`);
    return this.#path(0, index, size, 0);
  }

  /**
   * Proves that the first `from` leaves of the tree of `to` are the tree of `from`: PROOF of RFC 9162, §2.1.4.1. Empty where
   * `from` is 0 or `to`.
   * @throws RangeError, BlockMissing
   */
  consistencyProof(from: number, to = this.#size): Uint8Array {
    this.#check(to);
    if (!Number.isInteger(from) || from < 0 || from > to)
      throw new RangeError(`a tree of ${from} cannot have grown to ${to}`);
    if (from === 0 || from === to) return new Uint8Array(0);
    // The largest complete subtree that ends where the old tree did. Where it is the whole old tree, its hash is known.
    const height = 31 - Math.clz32(from & -from);
    const index = (from >> height) - 1;
    if (index > 0) this.#copyNode(height, index, scratch.words, 0);
    return this.#path(height, index, to, index > 0 ? HASH_WORDS : 0);
  }

  /**
   * The hashes of a tile, 32 bytes each (C2SP tlog-tiles, "Merkle Tree"): nodes of height 8 × `level`, `width` of them from
   * number 256 × `index` on.
   * @throws RangeError where the tree has not grown so far. @throws BlockMissing
   */
  tile(level: number, index: number, width = TILE_WIDTH): Uint8Array {
    const height = level * TILE_HEIGHT;
    const first = index * TILE_WIDTH;
    const isTile = [level, index, width].every(Number.isInteger) && level >= 0 && index >= 0 && width >= 1;
    if (!isTile || width > TILE_WIDTH || height >= HEIGHTS || first + width > this.#size >> height)
      throw new RangeError(`tile ${index} of level ${level} does not have ${width} hashes`);
    const hashes = new Int32Array(width * HASH_WORDS);
    for (let i = 0; i < width; i++) this.#copyNode(height, first + i, hashes, i * HASH_WORDS);
    return new Uint8Array(hashes.buffer);
  }

  #check(size: number): void {
    if (!Number.isInteger(size) || size < 0 || size > this.#size)
      throw new RangeError(`there is no tree of ${size} leaves: it has ${this.#size}`);
  }

  /** The siblings on the way from a node up to the root, after the `used` words that `scratch` begins with. */
  #path(height: number, index: number, size: number, used: number): Uint8Array {
    this.#fillEdge(size);
    const { words } = scratch;
    let at = used;
    for (let h = height, i = index; (size - 1) >> h > 0; h++, i >>= 1) {
      const sibling = i ^ 1;
      const complete = size >> h;
      if (sibling < complete) {
        this.#copyNode(h, sibling, words, at);
        at += HASH_WORDS;
      } else if (sibling === complete && isCut(size, h)) {
        const edge = this.#edge.words;
        for (let word = 0; word < HASH_WORDS; word++)
          words[at + word] = edge[h * HASH_WORDS + word] as number;
        at += HASH_WORDS;
      }
    }
    return copyOf(scratch, 0, at);
  }

  /**
   * Computes the right edge of the tree of `size` leaves: for each height at which its last subtree is not complete, the hash
   * of that subtree; and the root at the height after the last. It is kept for the last size asked for, since proofs are made
   * for one checkpoint after the other.
   */
  #fillEdge(size: number): void {
    if (size === this.#edgeSize) return;
    this.#edgeSize = 0;
    const { words } = this.#edge;
    for (let height = 0; size >> height > 0; height++) {
      const at = height * HASH_WORDS;
      if (((size >> height) & 1) === 0) {
        words.copyWithin(at + HASH_WORDS, at, at + HASH_WORDS);
        continue;
      }
      this.#copyNode(height, (size >> height) - 1, words, at + HASH_WORDS);
      if (isCut(size, height)) hashPair(this.#edge, height + 1, height, height + 1);
    }
    this.#edgeSize = size;
  }

  /** Writes a node to `target`, `at` counted in words. */
  #copyNode(height: number, index: number, target: Int32Array, at: number): void {
    const floor = this.#floor;
    if (height >= floor) {
      (this.#columns[height] as HashColumn).copyTo(index, target, at);
      return;
    }
    const block = index >> (floor - height);
    const columns = block === this.#size >> floor ? this.#columns : this.#given?.get(block);
    if (columns === undefined) throw new BlockMissing(block << floor, 2 ** floor);
    (columns[height] as HashColumn).copyTo(index - (block << (floor - height)), target, at);
  }
}

/** Where proofs are put together: no proof is longer. */
const scratch = allocate(HEIGHTS + 1);

/** Adds leaf `index`, and each node above it that it completes. */
function grow(columns: readonly HashColumn[], leafHash: Uint8Array, index: number): void {
  (columns[0] as HashColumn).push(leafHash);
  for (let height = 0, i = index; (i & 1) === 1; height++, i >>= 1) {
    if (height + 1 === columns.length) return;
    (columns[height + 1] as HashColumn).pushParent(columns[height] as HashColumn);
  }
}

/** Whether the last subtree at a height is cut off by the end of the tree. */
function isCut(size: number, height: number): boolean {
  return (size & ((1 << height) - 1)) !== 0;
}

/** A copy of a part of `hashes`, from pooled memory: thousands of proofs are no thousands of pieces of memory to free. */
function copyOf({ bytes }: Hashes, from: number, to: number): Uint8Array {
  const copied = Buffer.allocUnsafe((to - from) * 4);
  bytes.copy(copied, 0, from * 4, to * 4);
  return copied;
}
