type Numbers = Uint8Array | Uint32Array | Float64Array;
type NumbersOf<T extends Numbers> = { new (length: number): T; readonly BYTES_PER_ELEMENT: number };

/** A growing list of numbers in a typed array: no object per entry, and its bytes are its snapshot. */
export class NumericColumn<T extends Numbers, N extends number = number> {
  readonly #kind: NumbersOf<T>;
  #values: T;
  #length = 0;

  constructor(kind: NumbersOf<T>) {
    this.#kind = kind;
    this.#values = new kind(1_024);
  }

  get length(): number {
    return this.#length;
  }

  at(index: number): N {
    return this.#values[index] as N;
  }

  set(index: number, value: N): void {
    this.#values[index] = value;
  }

  /** Returns the index of the first entry that is not less than a value. The entries must be in ascending order. */
  firstAtLeast(value: N): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at(middle) >= value) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  push(value: N): void {
    if (this.#length === this.#values.length) this.#grow(2 * this.#length);
    this.#values[this.#length++] = value;
  }

  #grow(capacity: number): void {
    const grown = new this.#kind(capacity);
    grown.set(this.#values);
    this.#values = grown;
  }

  /** A copy of the entries. */
  get values(): N[] {
    return Array.from(this.#values.subarray(0, this.#length)) as N[];
  }

  /** The bytes of the entries, not copied. They are valid until the next `push`. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.#values.buffer, 0, this.#length * this.#kind.BYTES_PER_ELEMENT);
  }

  /** Restores the entries from bytes that `bytes` returned. @throws RangeError if they are not a whole number of entries. */
  restore(bytes: Uint8Array): void {
    const length = bytes.byteLength / this.#kind.BYTES_PER_ELEMENT;
    if (!Number.isInteger(length)) throw new RangeError('the bytes are not a whole number of entries');
    this.#values = new this.#kind(Math.max(1_024, length + (length >> 3)));
    new Uint8Array(this.#values.buffer).set(bytes);
    this.#length = length;
  }
}
