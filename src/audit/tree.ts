import { hash } from 'node:crypto';
import { allocate, HASH_WORDS, HashColumn, type Hashes, hashPair } from './hash-column.ts';
import { HASH_BYTES } from './leaf.ts';
import { TILE_HEIGHT, TILE_WIDTH } from './tiles.ts';

/** Maximum number of leaves, so that 32-bit shifts are exact. */
const MAX_LEAVES = 2 ** 30;
/** Number of heights of a tree of `MAX_LEAVES`, plus one. */
const HEIGHTS = 32;

/** Nodes below the floor, by number of the block. */
export type Blocks = Map<number, readonly HashColumn[]>;

/** Hashes of a block are not in memory. The caller loads them with `load` and repeats its call with `using`. */
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

/** The log has other leaves than those that were added to the tree. */
export class LeavesChanged extends Error {
  override readonly name = 'LeavesChanged';
}

/**
 * Merkle tree of SHA-256 hashes (RFC 9162, section 2.1). Leaf hashes are appended in order. A node is identified by its height
 * (0 for a leaf) and its index at that height. A node whose leaves are complete never changes and is stored.
 *
 * Memory: 64 bytes per leaf, or 64 / 2^floor with a floor: nodes below that height are dropped once their block of 2^floor
 * leaves is complete. A method that needs a dropped node throws `BlockMissing`, and the caller reads the block from the log.
 *
 * A proof is a concatenation of hashes, 32 bytes each, in the order of RFC 9162.
 */
export class MerkleTree {
  readonly #floor: number;
  /** Nodes by height. Below the floor only the nodes of the incomplete block. */
  readonly #columns: HashColumn[];
  #loaded: Blocks | undefined;
  #size = 0;
  /** Right edge of the tree of `#edgeSize` leaves: see `#fillEdge`. */
  readonly #edge = allocate(HEIGHTS);
  #edgeSize = 0;

  /** @param floor height of the lowest nodes that stay in memory, from 0 (all nodes) to 8 (blocks of 256 leaves). */
  constructor(floor = 0) {
    if (!Number.isInteger(floor) || floor < 0 || floor > TILE_HEIGHT)
      throw new RangeError(`the floor must be from 0 to 8; given ${floor}`);
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
      for (const column of this.#columns.slice(0, floor)) column.clear();
  }

  /**
   * Adds a dropped block to `blocks`.
   * @param start index of its first leaf, as in `BlockMissing`.
   * @param leafHashes hashes of its leaves, 32 bytes each.
   * @throws LeavesChanged if they are not the hashes that were appended.
   */
  load(blocks: Blocks, start: number, leafHashes: Uint8Array): void {
    const floor = this.#floor;
    const columns = Array.from(
      { length: floor + 1 },
      (_, height) => new HashColumn(2 ** (floor - height + 1)),
    );
    const leaves = 2 ** floor;
    if (leafHashes.length !== leaves * HASH_BYTES)
      throw new LeavesChanged(`a block has ${leaves} leaf hashes; given ${leafHashes.length} bytes`);
    for (let i = 0; i < leaves; i++) grow(columns, leafHashes.subarray(i * HASH_BYTES), i);
    const block = start >> floor;
    (columns[floor] as HashColumn).copyTo(0, scratch.words, 0);
    this.#copyNode(floor, block, scratch.words, HASH_WORDS);
    const { bytes } = scratch;
    if (bytes.compare(bytes, HASH_BYTES, 2 * HASH_BYTES, 0, HASH_BYTES) !== 0)
      throw new LeavesChanged(`leaves ${start} to ${start + leaves - 1} have changed`);
    blocks.set(block, columns);
  }

  /** Calls `compute` with loaded blocks. */
  using<T>(blocks: Blocks, compute: () => T): T {
    this.#loaded = blocks;
    try {
      return compute();
    } finally {
      this.#loaded = undefined;
    }
  }

  /** Returns the root hash of the tree of the first `size` leaves, 32 bytes. @throws RangeError, BlockMissing */
  root(size = this.#size): Uint8Array {
    this.#check(size);
    if (size === 0) return hash('sha256', '', 'buffer');
    const place = 32 - Math.clz32(size);
    this.#fillEdge(size);
    return copyOf(this.#edge, place * HASH_WORDS, (place + 1) * HASH_WORDS);
  }

  /**
   * Returns the proof that a leaf is in the tree of the first `size` leaves: PATH of RFC 9162, section 2.1.3.1.
   * @param index index of the leaf, from 0.
   * @throws RangeError, BlockMissing
   */
  inclusionProof(index: number, size = this.#size): Uint8Array {
    this.#check(size);
    if (!Number.isInteger(index) || index < 0 || index >= size)
      throw new RangeError(`leaf ${index} is not in a tree of ${size}`);
    return this.#path(0, index, size, 0);
  }

  /**
   * Returns the proof that the tree of `to` leaves begins with the tree of `from` leaves: PROOF of RFC 9162, section 2.1.4.1.
   * Empty if `from` is 0 or `to`.
   * @throws RangeError, BlockMissing
   */
  consistencyProof(from: number, to = this.#size): Uint8Array {
    this.#check(to);
    if (!Number.isInteger(from) || from < 0 || from > to)
      throw new RangeError(`a tree of ${from} cannot have grown to ${to}`);
    if (from === 0 || from === to) return new Uint8Array(0);
    // Largest complete subtree at the end of the old tree. If it is the whole old tree, the verifier has its hash.
    const height = 31 - Math.clz32(from & -from);
    const index = (from >> height) - 1;
    if (index > 0) this.#copyNode(height, index, scratch.words, 0);
    return this.#path(height, index, to, index > 0 ? HASH_WORDS : 0);
  }

  /**
   * Returns the hashes of a tile, 32 bytes each (C2SP tlog-tiles, "Merkle Tree"): `width` nodes of height 8 × `level`, from
   * index 256 × `index`.
   * @throws RangeError if the tree is too small. @throws BlockMissing
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

  /** Returns the siblings on the path from a node to the root, after the first `used` words of `scratch`. */
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
      } else if (sibling === complete && isIncomplete(size, h)) {
        const edge = this.#edge.words;
        for (let word = 0; word < HASH_WORDS; word++)
          words[at + word] = edge[h * HASH_WORDS + word] as number;
        at += HASH_WORDS;
      }
    }
    return copyOf(scratch, 0, at);
  }

  /**
   * Computes the right edge of the tree of `size` leaves: for each height the hash of its last subtree if that is incomplete,
   * and the root at the height after the last. The edge of the last size is cached, since many proofs are for one checkpoint.
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
      if (isIncomplete(size, height)) hashPair(this.#edge, height + 1, height, height + 1);
    }
    this.#edgeSize = size;
  }

  /** Writes a node to `target`, `at` counts words. */
  #copyNode(height: number, index: number, target: Int32Array, at: number): void {
    const floor = this.#floor;
    if (height >= floor) {
      (this.#columns[height] as HashColumn).copyTo(index, target, at);
      return;
    }
    const block = index >> (floor - height);
    const columns = block === this.#size >> floor ? this.#columns : this.#loaded?.get(block);
    if (columns === undefined) throw new BlockMissing(block << floor, 2 ** floor);
    (columns[height] as HashColumn).copyTo(index - (block << (floor - height)), target, at);
  }
}

/** Buffer for the longest possible proof. */
const scratch = allocate(HEIGHTS + 1);

/** Appends leaf `index` and every node that it completes. */
function grow(columns: readonly HashColumn[], leafHash: Uint8Array, index: number): void {
  (columns[0] as HashColumn).push(leafHash);
  for (let height = 0, i = index; (i & 1) === 1; height++, i >>= 1) {
    (columns[height + 1] as HashColumn).pushParent(columns[height] as HashColumn);
  }
}

/** Returns whether the last subtree at a height is incomplete. */
function isIncomplete(size: number, height: number): boolean {
  return (size & ((1 << height) - 1)) !== 0;
}

/** Copies a part of `hashes` to pooled memory, so that thousands of proofs do not need thousands of allocations. */
function copyOf({ bytes }: Hashes, from: number, to: number): Uint8Array {
  const copied = Buffer.allocUnsafe((to - from) * 4);
  bytes.copy(copied, 0, from * 4, to * 4);
  return copied;
}
