import { hash } from 'node:crypto';
import { HASH_BYTES } from './leaf.ts';

/** Number of 32-bit words of a hash. Copying words takes a quarter of the time of copying bytes. */
export const HASH_WORDS = HASH_BYTES / 4;

/** Number of hashes in a chunk of 32 KiB. */
const CHUNK = 1_024;

/** Memory for hashes, as bytes and as words. */
export interface Hashes {
  readonly bytes: Buffer;
  readonly words: Int32Array;
}

/** Allocates memory for a number of hashes. */
export function allocate(count: number): Hashes {
  const memory = new ArrayBuffer(count * HASH_BYTES);
  return { bytes: Buffer.from(memory), words: new Int32Array(memory) };
}

/** Growable list of hashes, 32 bytes each. It grows by chunks, so that it never copies hashes to grow. */
export class HashColumn {
  readonly #chunks: Hashes[] = [];
  readonly #chunkHashes: number;
  #length = 0;

  /** @param chunkHashes number of hashes in a chunk; a power of 2, at least 2. */
  constructor(chunkHashes = CHUNK) {
    this.#chunkHashes = chunkHashes;
  }

  /** Appends a hash: the 32 bytes at the beginning of `source`. */
  push(source: Uint8Array): void {
    const { bytes } = this.#lastChunk();
    const at = this.#indexInChunk(this.#length++) * HASH_BYTES;
    for (let i = 0; i < HASH_BYTES; i++) bytes[at + i] = source[i] as number;
  }

  /** Appends the parent of the last two hashes of `children`. */
  pushParent(children: HashColumn): void {
    // Two siblings are adjacent in one chunk.
    const index = children.#length - 2;
    copyWords(children.#chunkOf(index), children.#indexInChunk(index) * HASH_WORDS, pair, 0, 2 * HASH_WORDS);
    const { bytes } = this.#lastChunk();
    bytes.write(hashOfPair(), this.#indexInChunk(this.#length++) * HASH_BYTES, 'latin1');
  }

  /** Writes the hash at `index` to `target`, `at` counts words. */
  copyTo(index: number, target: Int32Array, at: number): void {
    copyWords(this.#chunkOf(index), this.#indexInChunk(index) * HASH_WORDS, target, at, HASH_WORDS);
  }

  /** Removes all hashes and keeps the memory. */
  clear(): void {
    this.#length = 0;
  }

  #lastChunk(): Hashes {
    const chunk = Math.floor(this.#length / this.#chunkHashes);
    if (chunk === this.#chunks.length) this.#chunks.push(allocate(this.#chunkHashes));
    return this.#chunks[chunk] as Hashes;
  }

  #chunkOf(index: number): Int32Array {
    return (this.#chunks[Math.floor(index / this.#chunkHashes)] as Hashes).words;
  }

  /** Returns the index within its chunk. */
  #indexInChunk(index: number): number {
    return index & (this.#chunkHashes - 1);
  }
}

/** Preimage of a parent: 0x01 || left || right (RFC 9162, section 2.1.1). The two hashes are aligned to words. */
const memory = new ArrayBuffer(4 + 2 * HASH_BYTES);
const preimage = new Uint8Array(memory, 3);
preimage[0] = 1;
const pair = new Int32Array(memory, 4);

/** Returns the hash of the preimage as a binary string, which takes a third of the time of a Buffer as digest. */
function hashOfPair(): string {
  return hash('sha256', preimage, 'binary');
}

/** Writes the parent of the hashes at `left` and `right` to `target`; indexes count hashes. */
export function hashPair({ bytes, words }: Hashes, left: number, right: number, target: number): void {
  copyWords(words, left * HASH_WORDS, pair, 0, HASH_WORDS);
  copyWords(words, right * HASH_WORDS, pair, HASH_WORDS, HASH_WORDS);
  bytes.write(hashOfPair(), target * HASH_BYTES, 'latin1');
}

function copyWords(source: Int32Array, from: number, target: Int32Array, to: number, words: number): void {
  for (let i = 0; i < words; i++) target[to + i] = source[from + i] as number;
}
