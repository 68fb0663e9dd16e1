/**
 * Lets those who need the same keys take turns, in the order in which they asked. A turn takes all of its keys at once, so
 * that no two wait for each other.
 */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs `work` once all earlier turns of any of the keys have ended. */
  async runExclusive<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = keys.map((key) => this.#last.get(key)).filter((turn) => turn !== undefined);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    for (const key of keys) this.#last.set(key, ended);
    try {
      if (before.length > 0) await Promise.all(before);
      return await work();
    } finally {
      for (const key of keys) if (this.#last.get(key) === ended) this.#last.delete(key);
      end();
    }
  }
}
