import { setTimeout as wait } from 'node:timers/promises';

/** Rate limit for connections to one host. */
export interface HostRate {
  readonly perSecond: number;
  /** Number of connections that may be made at once after a pause. */
  readonly burst: number;
}

const MAX_BUCKETS = 4_096;

/** Token bucket per host. */
export class HostRateLimiter {
  readonly #rate: HostRate;
  /** When the bucket of a host is full again, as a value of `performance.now()`. */
  readonly #fullAt = new Map<string, number>();

  constructor(rate: HostRate) {
    this.#rate = rate;
  }

  /** Takes a token, possibly a future one. @returns how long to wait for it in ms. */
  reserve(host: string): number {
    const now = performance.now();
    if (this.#fullAt.size > MAX_BUCKETS) this.#dropFullBuckets(now);
    const { perSecond, burst } = this.#rate;
    const perToken = 1_000 / perSecond;
    const fullAt = Math.max(now, this.#fullAt.get(host) ?? now) + perToken;
    this.#fullAt.set(host, fullAt);
    return Math.max(0, fullAt - now - burst * perToken);
  }

  /** Takes a token if one is available now. */
  tryTake(host: string): boolean {
    const { perSecond, burst } = this.#rate;
    const missing = Math.max(0, (this.#fullAt.get(host) ?? 0) - performance.now());
    const isThere = missing + 1_000 / perSecond <= (burst * 1_000) / perSecond;
    if (isThere) this.reserve(host);
    return isThere;
  }

  #dropFullBuckets(now: number): void {
    for (const [host, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(host);
  }
}

/** Counting semaphore. Waiters get permits in the order of their calls. */
export class Semaphore {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(places: number) {
    this.#free = places;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Waits for a permit. It does not observe the signal of the probe. */
  async acquire(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    await promise;
  }

  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

/**
 * Rate limit for a probe that holds a permit of the semaphore. While the probe waits for its host it gives the
 * permit away, so a host with many clusters does not delay others.
 */
export class ProbeThrottle {
  readonly #semaphore: Semaphore;
  readonly #rates: HostRateLimiter;

  constructor(gate: Semaphore, rates: HostRateLimiter) {
    this.#semaphore = gate;
    this.#rates = rates;
  }

  async wait(host: string, signal: AbortSignal): Promise<void> {
    const ms = this.#rates.reserve(host);
    if (ms === 0) return;
    this.#semaphore.release();
    await wait(ms, undefined, { signal }).catch(() => undefined);
    await this.#semaphore.acquire();
  }

  tryTake(host: string): boolean {
    return this.#rates.tryTake(host);
  }
}
