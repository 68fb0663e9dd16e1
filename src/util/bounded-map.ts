/** Map with a maximum number of entries. Adding one more evicts the oldest entry. */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #capacity: number;
  /** Yields the keys from the oldest on. A new iterator for each eviction would pass over all deleted entries again. */
  readonly #oldest: MapIterator<K> = this.keys();

  constructor(capacity: number) {
    super();
    this.#capacity = capacity;
  }

  /** Sets a value. An existing key keeps its age. */
  override set(key: K, value: V): this {
    super.set(key, value);
    if (this.size > this.#capacity) this.delete(this.#oldest.next().value as K);
    return this;
  }

  /** Sets a value and makes its key the newest. Calling this on every use evicts the least recently used entry. */
  setNewest(key: K, value: V): this {
    this.delete(key);
    return this.set(key, value);
  }
}
