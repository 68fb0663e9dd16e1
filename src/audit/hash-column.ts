import { hash } from 'node:crypto';
import { HASH_BYTES } from './leaf.ts';

/** Hashes per piece of memory, 32 KiB; a multiple of what a tile holds, so that a tile is never in two pieces. */
const CHUNK = 1_024;

/** What is hashed into a parent: 0x01 || left || right (RFC 9162, §2.1.1). */
const parent = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** A growing list of hashes as plain memory, 32 bytes each. It grows by pieces, so that nothing is ever copied to grow. */
export class HashColumn {
  readonly #chunks: Buffer[] = [];
  readonly #chunkHashes: number;
  #length = 0;

  /** @param chunkHashes hashes per piece of memory; a power of 2, and at least 2. */
  constructor(chunkHashes = CHUNK) {
    this.#chunkHashes = chunkHashes;
  }

  get length(): number {
    return this.#length;
  }

  /** Appends a hash: the 32 bytes at the beginning of `source`. */
  push(source: Uint8Array): void {
    const chunk = this.#room();
    const at = this.#offset(this.#length++);
    for (let i = 0; i < HASH_BYTES; i++) chunk[at + i] = source[i] as number;
  }

  /** Appends the parent of the last two hashes of `children`. */
  pushParent(children: HashColumn): void {
    // Two siblings stand side by side in one piece of memory.
    const index = children.#length - 2;
    copy(children.#chunkOf(index), children.#offset(index), parent, 1, 2 * HASH_BYTES);
    const chunk = this.#room();
    chunk.write(hash('sha256', parent, 'binary'), this.#offset(this.#length++), 'latin1');
  }

  /** Writes the hash at `index` to `target`. */
  copyTo(index: number, target: Uint8Array, at: number): void {
    copy(this.#chunkOf(index), this.#offset(index), target, at, HASH_BYTES);
  }

  /** Forgets all hashes and keeps the memory. */
  clear(): void {
    this.#length = 0;
  }

  #room(): Buffer {
    const place = Math.floor(this.#length / this.#chunkHashes);
    if (place === this.#chunks.length)
      this.#chunks.push(Buffer.allocUnsafeSlow(this.#chunkHashes * HASH_BYTES));
    return this.#chunks[place] as Buffer;
  }

  #chunkOf(index: number): Buffer {
    return this.#chunks[Math.floor(index / this.#chunkHashes)] as Buffer;
  }

  #offset(index: number): number {
    return (index & (this.#chunkHashes - 1)) * HASH_BYTES;
  }
}

/** Writes the parent of two hashes to `target`; each is 32 bytes of its source. `target` may be one of the sources. */
export function hashPair(
  left: Uint8Array,
  leftAt: number,
  right: Uint8Array,
  rightAt: number,
  target: Buffer,
  at: number,
): void {
  copy(left, leftAt, parent, 1, HASH_BYTES);
  copy(right, rightAt, parent, 1 + HASH_BYTES, HASH_BYTES);
  target.write(hash('sha256', parent, 'binary'), at, 'latin1');
}

/** For so few bytes a loop is faster than `set` with a `subarray`. */
function copy(source: Uint8Array, from: number, target: Uint8Array, to: number, bytes: number): void {
  for (let i = 0; i < bytes; i++) target[to + i] = source[from + i] as number;
}
