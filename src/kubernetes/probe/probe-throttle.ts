import { setTimeout as wait } from 'node:timers/promises';

/** How often one host may be connected to. */
export interface HostRate {
  readonly perSecond: number;
  /** How many at once, after a pause. */
  readonly burst: number;
}

const MAX_BUCKETS = 4_096;

/** A token bucket for every host. */
export class HostRateLimiter {
  readonly #rate: HostRate;
  /** When the bucket of a host is full again, on the clock of `performance.now()`. */
  readonly #fullAt = new Map<string, number>();

  constructor(rate: HostRate) {
    this.#rate = rate;
  }

  /** Takes a token, also one that is yet to come. @returns how long to wait for it, in milliseconds. */
  reserve(host: string): number {
    const now = performance.now();
    if (this.#fullAt.size > MAX_BUCKETS) this.#dropFullBuckets(now);
    const { perSecond, burst } = this.#rate;
    const perToken = 1_000 / perSecond;
    const fullAt = Math.max(now, this.#fullAt.get(host) ?? now) + perToken;
    this.#fullAt.set(host, fullAt);
    return Math.max(0, fullAt - now - burst * perToken);
  }

  /** Takes a token that is there. */
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

/** Lets so many in at a time; the others wait in order of arrival. */
export class Semaphore {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(places: number) {
    this.#free = places;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Resolves with a place taken, also where the signal has fired. */
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
 * The turns of one probe that has a place at the gate: while it waits for a host that is asked too often, others have its
 * place, so that a host with many clusters holds up nobody else.
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
