/** Map with a maximum number of entries. Adding one more evicts the oldest entry. */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #capacity: number;

  constructor(capacity: number) {
    super();
    this.#capacity = capacity;
  }

  /** Sets a value. An existing key keeps its age. */
  override set(key: K, value: V): this {
    super.set(key, value);
    if (this.size <= this.#capacity) return this;
    for (const oldest of this.keys()) {
      this.delete(oldest);
      break;
    }
    return this;
  }

  /** Sets a value and makes its key the newest. Calling this on every use evicts the least recently used entry. */
  setNewest(key: K, value: V): this {
    this.delete(key);
    return this.set(key, value);
  }
}
