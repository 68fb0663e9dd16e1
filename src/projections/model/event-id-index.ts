import type { Position } from '../../util/log-numbers.ts';
import { NumericColumn } from './numeric-column.ts';

/**
 * The ids of all events by position, 16 bytes each, and a hash table (open addressing) from id to position. Entry 0 belongs
 * to no event.
 */
export class EventIdIndex {
  readonly words = new NumericColumn(Uint32Array);
  #slots = new Uint32Array(2_048);
  #used = 0;

  constructor() {
    this.#pushWords(0, 0, 0, 0);
  }

  /** @param id a UUID. */
  push(id: string): void {
    readWords(id);
    for (const each of read) this.words.push(each);
    this.#insert(this.words.length / 4 - 1);
  }

  /** Returns the id of the event at a position. */
  at(position: Position): string {
    const first = 4 * position;
    const [a, b] = [this.words.at(first), this.words.at(first + 1)];
    const [c, d] = [this.words.at(first + 2), this.words.at(first + 3)];
    return `${half(a >>> 16)}${half(a)}-${half(b >>> 16)}-${half(b)}-${half(c >>> 16)}-${half(c)}${half(d >>> 16)}${half(d)}`;
  }

  /** Compares the ids of the events at two positions in the order of their texts. */
  compare(a: number, b: number): number {
    for (let i = 0; i < 4; i++) {
      const difference = this.words.at(4 * a + i) - this.words.at(4 * b + i);
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /** Returns the position of the first event with an id, or `undefined`. */
  find(id: string): Position | undefined {
    readWords(id);
    const mask = this.#slots.length - 1;
    for (let slot = (read[0] as number) & mask; ; slot = (slot + 1) & mask) {
      const position = this.#slots[slot] as number;
      if (position === 0) return undefined;
      if (this.#isRead(position)) return position;
    }
  }

  /** Returns whether the id at a position is the one that was read last. */
  #isRead(position: Position): boolean {
    for (let i = 0; i < 4; i++) if (this.words.at(4 * position + i) !== read[i]) return false;
    return true;
  }

  /** Restores the ids from bytes that `words.bytes` returned. */
  restore(bytes: Uint8Array): void {
    this.words.restore(bytes);
    this.#rebuildSlots(this.words.length / 4);
  }

  #pushWords(a: number, b: number, c: number, d: number): void {
    this.words.push(a);
    this.words.push(b);
    this.words.push(c);
    this.words.push(d);
  }

  #insert(position: Position): void {
    if (2 * ++this.#used > this.#slots.length) {
      this.#rebuildSlots(position + 1);
      return;
    }
    const mask = this.#slots.length - 1;
    let slot = this.words.at(4 * position) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = position;
  }

  #rebuildSlots(count: number): void {
    let capacity = 2_048;
    while (capacity < 3 * count) capacity *= 2;
    this.#slots = new Uint32Array(capacity);
    this.#used = 0;
    for (let position = 1; position < count; position++) this.#insert(position);
  }
}

const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Formats the lower 16 bits of a word in hexadecimal. */
function half(word: number): string {
  return `${BYTES[(word >>> 8) & 0xff]}${BYTES[word & 0xff]}`;
}

/** The four 32-bit words of the id that was read last: an array for each of them would be garbage. */
const read = new Uint32Array(4);

/** Reads the words of a UUID. The first one, which selects the slot, contains no version or variant bits. */
function readWords(id: string): void {
  read[0] = word(id, 0);
  read[1] = word(id, 9, 14);
  read[2] = word(id, 19, 24);
  read[3] = word(id, 28);
}

function word(id: string, at: number, then = at + 4): number {
  return ((quad(id, at) << 16) | quad(id, then)) >>> 0;
}

function quad(id: string, at: number): number {
  return (nibble(id, at) << 12) | (nibble(id, at + 1) << 8) | (nibble(id, at + 2) << 4) | nibble(id, at + 3);
}

/** Parses a lower-case hexadecimal digit. All ids of the ledger are in lower case. */
function nibble(id: string, at: number): number {
  const code = id.charCodeAt(at);
  return code <= 57 ? code - 48 : code - 87;
}
