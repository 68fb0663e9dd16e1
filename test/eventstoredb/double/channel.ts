/** Maximum number of messages that wait between two stages of the server. */
const SLOTS = 32;

/**
 * A queue between two stages of the server: 32 slots, first in, first out. `write` waits for a slot. `tryWrite`, for live
 * events, returns that the reader is too slow.
 */
export class Channel<Item> {
  readonly #items: Item[] = [];
  #wake: (() => void)[] = [];
  #closed: { readonly error: Error | undefined } | undefined;

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** @returns whether there was room. */
  tryWrite(item: Item): boolean {
    if (this.#closed !== undefined || this.#items.length >= SLOTS) return false;
    this.#items.push(item);
    this.#notify();
    return true;
  }

  /** Waits for room. @returns whether the item was taken: not after `close`. */
  async write(item: Item): Promise<boolean> {
    while (!this.isClosed) {
      if (this.tryWrite(item)) return true;
      await this.#change();
    }
    return false;
  }

  /** No more items. The reader gets those already written, then the end, or `error`. */
  close(error?: Error): void {
    this.#closed ??= { error };
    this.#notify();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, void> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) {
        this.#notify();
        yield item;
      } else if (this.#closed === undefined) {
        await this.#change();
      } else {
        if (this.#closed.error !== undefined) throw this.#closed.error;
        return;
      }
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake.push(resolve);
    });
  }

  #notify(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}
