import { hash } from 'node:crypto';
import { HashColumn, hashPair } from './hash-column.ts';
import { HASH_BYTES } from './leaf.ts';
import { TILE_HEIGHT, TILE_WIDTH } from './tiles.ts';

/** The most leaves of a tree in memory; so that shifts of 32-bit numbers hold. */
const MAX_LEAVES = 2 ** 30;
/** Heights of nodes that a tree of `MAX_LEAVES` can have, and one more. */
const HEIGHTS = 32;
/** Blocks that were given back and are kept, at the most. */
const MAX_LOADED = 64;

/** Hashes of these leaves are no longer in memory: give them back with `load`, and ask again. */
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
  /** Nodes below the floor of blocks that were given back, by number of the block; the least recently loaded first. */
  readonly #loaded = new Map<number, HashColumn[]>();
  #size = 0;
  /** See `#edgeOf`. */
  readonly #edge = Buffer.alloc(HEIGHTS * HASH_BYTES);
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
   * Gives a block back.
   * @param start number of its first leaf, and `leafHashes` its hashes, 32 bytes each, as `BlockMissing` asked for.
   * @throws LeavesChanged they are not those that the tree was fed with.
   */
  load(start: number, leafHashes: Uint8Array): void {
    const floor = this.#floor;
    const columns = Array.from(
      { length: floor + 1 },
      (_, height) => new HashColumn(2 ** (floor - height + 1)),
    );
    const leaves = 2 ** floor;
    if (leafHashes.length !== leaves * HASH_BYTES)
      throw new LeavesChanged(`${leafHashes.length} bytes are no ${leaves} hashes of leaves`);
    for (let i = 0; i < leaves; i++) grow(columns, leafHashes.subarray(i * HASH_BYTES), i);
    const found = Buffer.alloc(HASH_BYTES);
    const kept = Buffer.alloc(HASH_BYTES);
    const block = start >> floor;
    columns[floor]?.copyTo(0, found, 0);
    this.#copyNode(floor, block, kept, 0);
    if (!found.equals(kept))
      throw new LeavesChanged(`leaves ${start} to ${start + leaves - 1} are not what they were`);
    for (const [oldest] of this.#loaded) if (this.#loaded.size >= MAX_LOADED) this.#loaded.delete(oldest);
    this.#loaded.set(block, columns);
  }

  /** Hash of the tree of the first `size` leaves, 32 bytes. @throws RangeError, BlockMissing */
  root(size = this.#size): Uint8Array {
    this.#check(size);
    if (size === 0) return hash('sha256', '', 'buffer');
    const at = heightOf(size) * HASH_BYTES;
    return Uint8Array.from(this.#edgeOf(size).subarray(at, at + HASH_BYTES));
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
    if (index > 0) this.#copyNode(height, index, scratch, 0);
    return this.#path(height, index, to, index > 0 ? HASH_BYTES : 0);
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
    const hashes = new Uint8Array(width * HASH_BYTES);
    for (let i = 0; i < width; i++) this.#copyNode(height, first + i, hashes, i * HASH_BYTES);
    return hashes;
  }

  #check(size: number): void {
    if (!Number.isInteger(size) || size < 0 || size > this.#size)
      throw new RangeError(`there is no tree of ${size} leaves: it has ${this.#size}`);
  }

  /** The siblings on the way from a node up to the root, after the `used` bytes that `scratch` begins with. */
  #path(height: number, index: number, size: number, used: number): Uint8Array {
    const edge = this.#edgeOf(size);
    let at = used;
    for (let h = height, i = index; (size - 1) >> h > 0; h++, i >>= 1) {
      const sibling = i ^ 1;
      const complete = size >> h;
      if (sibling < complete) {
        this.#copyNode(h, sibling, scratch, at);
        at += HASH_BYTES;
      } else if (sibling === complete && isCut(size, h)) {
        edge.copy(scratch, at, h * HASH_BYTES, (h + 1) * HASH_BYTES);
        at += HASH_BYTES;
      }
    }
    return Uint8Array.prototype.slice.call(scratch, 0, at);
  }

  /**
   * The right edge of the tree of `size` leaves: 32 bytes for each height at which its last subtree is not complete, the hash
   * of that subtree; and the root at the height after the last. Kept for the last size asked for.
   */
  #edgeOf(size: number): Buffer {
    const edge = this.#edge;
    if (size === this.#edgeSize) return edge;
    this.#edgeSize = 0;
    for (let height = 0, at = 0; size >> height > 0; height++, at += HASH_BYTES) {
      const above = at + HASH_BYTES;
      if (((size >> height) & 1) === 0) {
        edge.copy(edge, above, at, above);
        continue;
      }
      this.#copyNode(height, (size >> height) - 1, edge, above);
      if (isCut(size, height)) hashPair(edge, above, edge, at, edge, above);
    }
    this.#edgeSize = size;
    return edge;
  }

  #copyNode(height: number, index: number, target: Uint8Array, at: number): void {
    const floor = this.#floor;
    if (height >= floor) {
      (this.#columns[height] as HashColumn).copyTo(index, target, at);
      return;
    }
    const block = index >> (floor - height);
    const columns = block === this.#size >> floor ? this.#columns : this.#loaded.get(block);
    if (columns === undefined) throw new BlockMissing(block << floor, 2 ** floor);
    (columns[height] as HashColumn).copyTo(index - (block << (floor - height)), target, at);
  }
}

/** Where proofs are put together: no proof is longer. */
const scratch = Buffer.alloc(2 * HEIGHTS * HASH_BYTES);

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

/** Height of the place of the root in the edge. */
function heightOf(size: number): number {
  return 32 - Math.clz32(size);
}
