/**
 * Mutual exclusion by key. Work that shares a key runs one at a time, in the order of the calls. A call locks all of its keys
 * at once, so two calls can never wait for each other.
 */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs `work` after all earlier calls with any of the keys have settled. */
  runExclusive<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const earlier = keys.map((key) => this.#last.get(key)).filter((call) => call !== undefined);
    const worked = earlier.length === 0 ? work() : Promise.all(earlier).then(work);
    const release = () => {
      for (const key of keys) if (this.#last.get(key) === ended) this.#last.delete(key);
    };
    const ended: Promise<void> = worked.then(release, release);
    for (const key of keys) this.#last.set(key, ended);
    return worked;
  }
}
