/**
 * Mutual exclusion by key. Work that shares a key runs one at a time, in the order of the calls. A call locks all of its keys
 * at once, so two calls can never wait for each other.
 */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs `work` after all earlier calls with any of the keys have settled. */
  async runExclusive<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const earlier = keys.map((key) => this.#last.get(key)).filter((call) => call !== undefined);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    for (const key of keys) this.#last.set(key, ended);
    try {
      if (earlier.length > 0) await Promise.all(earlier);
      return await work();
    } finally {
      for (const key of keys) if (this.#last.get(key) === ended) this.#last.delete(key);
      end();
    }
  }
}
