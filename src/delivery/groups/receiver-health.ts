import type { Instant } from '../../domain/time.ts';

/** Failed attempts in a row after which the receiver counts as down. */
export const DOWN_AFTER_FAILURES = 5;

const FIRST_PAUSE_MS = 5_000;
/** Maximum time between two attempts on a receiver that is down: how late it is noticed that the receiver is back. */
const MAX_PAUSE_MS = 5 * 60_000;

/**
 * Distinguishes a message that the receiver refuses from a receiver that is down. While it is down, one attempt is made at a
 * time, at most 5 minutes apart, and no attempt counts against a message.
 */
export class ReceiverHealth {
  #failures = 0;
  failingSince: Instant | undefined;
  lastSuccessAt: Instant | undefined;
  #nextAttemptAt: Instant = 0;

  constructor(
    state: { readonly failingSince?: Instant | undefined; readonly lastSuccessAt?: Instant | undefined } = {},
  ) {
    this.failingSince = state.failingSince;
    this.lastSuccessAt = state.lastSuccessAt;
  }

  get isDown(): boolean {
    return this.#failures >= DOWN_AFTER_FAILURES;
  }

  /** Earliest time of the next attempt; 0 unless the receiver is down or has asked for a pause. */
  get nextAttemptAt(): Instant {
    return this.#nextAttemptAt;
  }

  /** @returns whether the receiver was down. */
  succeeded(now: Instant): boolean {
    const wasDown = this.isDown;
    this.#failures = 0;
    this.failingSince = undefined;
    this.lastSuccessAt = now;
    this.#nextAttemptAt = 0;
    return wasDown;
  }

  /**
   * @param startedAt when the attempt began. Attempts that began before the last pause do not make the next pause longer.
   * @param pauseMs how long the receiver asks to wait.
   */
  failed(now: Instant, startedAt: Instant, pauseMs = 0): void {
    this.failingSince ??= now;
    const isNews = startedAt >= this.#nextAttemptAt || !this.isDown;
    if (isNews) this.#failures += 1;
    const step = this.#failures - DOWN_AFTER_FAILURES;
    const backoff = isNews && step >= 0 ? Math.min(FIRST_PAUSE_MS * 2 ** step, MAX_PAUSE_MS) : 0;
    this.#nextAttemptAt = Math.max(this.#nextAttemptAt, now + Math.max(backoff, pauseMs));
  }

  /** Forgets the failures, so that an attempt is made at once: the receiver is enabled again. */
  reset(): void {
    this.#failures = 0;
    this.failingSince = undefined;
    this.#nextAttemptAt = 0;
  }
}
