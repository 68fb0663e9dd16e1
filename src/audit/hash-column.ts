import { hash } from 'node:crypto';
import { HASH_BYTES } from './leaf.ts';

/** A hash is copied as 8 numbers of 32 bits, which is four times as fast as byte by byte. */
export const HASH_WORDS = HASH_BYTES / 4;

/** Hashes per piece of memory: 32 KiB. */
const CHUNK = 1_024;

/** Room for hashes, seen as bytes and as words. */
export interface Hashes {
  readonly bytes: Buffer;
  readonly words: Int32Array;
}

export function allocate(count: number): Hashes {
  const memory = new ArrayBuffer(count * HASH_BYTES);
  return { bytes: Buffer.from(memory), words: new Int32Array(memory) };
}

/** A growing list of hashes as plain memory, 32 bytes each. It grows by pieces, so that nothing is ever copied to grow. */
export class HashColumn {
  readonly #chunks: Hashes[] = [];
  readonly #chunkHashes: number;
  #length = 0;

  /** @param chunkHashes hashes per piece of memory; a power of 2, and at least 2. */
  constructor(chunkHashes = CHUNK) {
    this.#chunkHashes = chunkHashes;
  }

  /** Appends a hash: the 32 bytes at the beginning of `source`. */
  push(source: Uint8Array): void {
    const { bytes } = this.#room();
    const at = this.#place(this.#length++) * HASH_BYTES;
    for (let i = 0; i < HASH_BYTES; i++) bytes[at + i] = source[i] as number;
  }

  /** Appends the parent of the last two hashes of `children`. */
  pushParent(children: HashColumn): void {
    // Two siblings stand side by side in one piece of memory.
    const index = children.#length - 2;
    copyWords(children.#chunkOf(index), children.#place(index) * HASH_WORDS, pair, 0, 2 * HASH_WORDS);
    const { bytes } = this.#room();
    bytes.write(hashOfPair(), this.#place(this.#length++) * HASH_BYTES, 'latin1');
  }

  /** Writes the hash at `index` to `target`, `at` counted in words. */
  copyTo(index: number, target: Int32Array, at: number): void {
    copyWords(this.#chunkOf(index), this.#place(index) * HASH_WORDS, target, at, HASH_WORDS);
  }

  /** Forgets all hashes and keeps the memory. */
  clear(): void {
    this.#length = 0;
  }

  #room(): Hashes {
    const chunk = Math.floor(this.#length / this.#chunkHashes);
    if (chunk === this.#chunks.length) this.#chunks.push(allocate(this.#chunkHashes));
    return this.#chunks[chunk] as Hashes;
  }

  #chunkOf(index: number): Int32Array {
    return (this.#chunks[Math.floor(index / this.#chunkHashes)] as Hashes).words;
  }

  /** Place in its piece of memory. */
  #place(index: number): number {
    return index & (this.#chunkHashes - 1);
  }
}

/** What is hashed into a parent: 0x01 || left || right (RFC 9162, §2.1.1), with the two hashes where words can begin. */
const memory = new ArrayBuffer(4 + 2 * HASH_BYTES);
const preimage = new Uint8Array(memory, 3);
preimage[0] = 1;
const pair = new Int32Array(memory, 4);

/** One-shot, and the digest as a string of bytes: a third of the time that a Buffer as digest takes. */
function hashOfPair(): string {
  return hash('sha256', preimage, 'binary');
}

/** Writes the parent of the hashes at `left` and `right` to `target`; places are counted in hashes. */
export function hashPair({ bytes, words }: Hashes, left: number, right: number, target: number): void {
  copyWords(words, left * HASH_WORDS, pair, 0, HASH_WORDS);
  copyWords(words, right * HASH_WORDS, pair, HASH_WORDS, HASH_WORDS);
  bytes.write(hashOfPair(), target * HASH_BYTES, 'latin1');
}

function copyWords(source: Int32Array, from: number, target: Int32Array, to: number, words: number): void {
  for (let i = 0; i < words; i++) target[to + i] = source[from + i] as number;
}
