/**
 * Lets those who need the same keys take turns, in the order in which they asked. A turn takes all of its keys at once, so
 * that no two wait for each other.
 */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /**
   * Runs `work` once all earlier turns of any of the keys have ended.
   * @param patient waits for those turns; where it throws, the work is not done and the turn passes on.
   */
  async take<T>(
    keys: readonly string[],
    patient: (earlier: Promise<unknown>) => Promise<unknown>,
    work: () => Promise<T>,
  ): Promise<T> {
    const before = keys.map((key) => this.#last.get(key)).filter((turn) => turn !== undefined);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    for (const key of keys) this.#last.set(key, ended);
    const earlier = Promise.all(before);
    try {
      if (before.length > 0) await patient(earlier);
      return await work();
    } finally {
      // Whoever gave up waiting must not let the next one in before the earlier ones are done.
      void earlier.then(() => {
        for (const key of keys) if (this.#last.get(key) === ended) this.#last.delete(key);
        end();
      });
    }
  }
}
