import type { Instant } from '../domain/time.ts';

/**
 * The clock that stamps events (`recordedAt`): the wall clock, or the newest time in the log if the wall clock is behind it. So
 * `recordedAt` never decreases from one event to the next, and `asOf` by instant finds a prefix of the log. Every writer of
 * events uses the same instance. The time of a fact is checked with the wall clock instead.
 */
export class RecordingClock {
  readonly #wall: () => Instant;
  readonly #newestFollowed: () => Instant;
  #newest: Instant = 0;

  /**
   * @param wall returns milliseconds since the epoch.
   * @param newestFollowed returns the newest `recordedAt` of the events that were read from the log so far.
   */
  constructor(wall: () => Instant, newestFollowed: () => Instant) {
    this.#wall = wall;
    this.#newestFollowed = newestFollowed;
  }

  /** Notes an event of the log that the followers have not read yet. */
  observe(recordedAt: Instant): void {
    this.#newest = Math.max(this.#newest, recordedAt);
  }

  /** Returns the time of an event that is recorded now. Bound, so that it can be passed as a function. */
  readonly now = (): Instant => {
    this.#newest = Math.max(this.#newest, this.#wall(), this.#newestFollowed());
    return this.#newest;
  };
}
