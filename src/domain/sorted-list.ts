/** A list that stays sorted as items are added and removed, by binary search. Items that compare as equal keep their order. */
export class SortedList<T> {
  #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get length(): number {
    return this.#items.length;
  }

  /** Returns an item; `undefined` outside the list. Negative indexes count from the end. */
  at(index: number): T | undefined {
    return this.#items.at(index);
  }

  add(item: T): void {
    const last = this.#items.at(-1);
    // Most items are added in order.
    // Many lists have one item. An empty array to which one is added has room for 17.
    if (last === undefined) this.#items = [item];
    else if (this.#compare(last, item) <= 0) this.#items.push(item);
    else this.#items.splice(this.#behind(item), 0, item);
  }

  /** Adds many items with one sort. */
  addAll(items: Iterable<T>): void {
    for (const item of items) this.#items.push(item);
    this.#items.sort(this.#compare);
  }

  /** Removes an item, compared by identity. @returns whether it was in the list. */
  remove(item: T): boolean {
    for (let i = this.#behind(item) - 1; i >= 0; i--) {
      const each = this.#items[i] as T;
      if (each === item) {
        this.#items.splice(i, 1);
        return true;
      }
      if (this.#compare(each, item) !== 0) return false;
    }
    return false;
  }

  /** Returns the index of the first item for which a condition holds. It must hold for all items after that one. */
  firstIndex(holds: (item: T) => boolean): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(this.#items[middle] as T)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Returns the index behind the last item that is not greater. */
  #behind(item: T): number {
    return this.firstIndex((each) => this.#compare(each, item) > 0);
  }
}
