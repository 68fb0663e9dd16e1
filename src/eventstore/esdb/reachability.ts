import { setTimeout as wait } from 'node:timers/promises';
import { AccessDeniedError, UnavailableError } from '@eventstore/db-client';
import type { Logger } from '../../util/logger.ts';
import type { StoreHealth } from '../event-store.ts';
import { StoreRefused, StoreUnavailable } from '../store-errors.ts';
import { adviceFor, type Operation, type ServerAccess } from './advice.ts';
import { commandError, describe } from './error-mapping.ts';

const PROBE_EVERY_MS = 1_000;
/** Minimum time between two attempts to find the cause of a failed connection. */
const DIAGNOSE_EVERY_MS = 10_000;

interface Failure {
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** The same on the monotonic clock of `performance.now()`. */
  readonly startedAt: number;
  readonly detail: string;
  /** Instruction for an operator, if only an operator can end the failure. */
  readonly advice: string | undefined;
}

export interface ReachabilityOptions {
  readonly access: ServerAccess;
  readonly now: () => number;
  /** Time in ms after which an outage counts as known. */
  readonly outageMs: number;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Ends all probes. */
  readonly signal: AbortSignal;
  /** Finds the cause of a failed connection. @returns what an operator has to do. */
  readonly diagnose: () => Promise<string | undefined>;
  /** Attempts that find out whether an operation works again. */
  readonly probes: Readonly<Record<Operation, () => Promise<void>>>;
}

/**
 * Knows whether the store can be reached. The operations fail and recover separately: a server can answer reads while it cannot
 * write. So a success of one operation says nothing about another one that failed, and the state does not alternate. An operation
 * that failed is probed until it works, also if nobody uses it. Only followers need no probe: they always subscribe again,
 * and a server that answers reads of its log can still refuse a subscription.
 */
export class Reachability {
  readonly #options: ReachabilityOptions;
  readonly #failures = new Map<Operation, Failure>();
  /** Advice that is in the log since the last outage. */
  readonly #reported = new Set<string>();
  readonly #probing = new Set<Operation>();
  #isOutageReported = false;
  #followers = 0;
  #reconnects = 0;
  #lastSuccessAt = Number.NEGATIVE_INFINITY;
  #diagnosedAt = Number.NEGATIVE_INFINITY;
  #connectionAdvice: string | undefined;

  constructor(options: ReachabilityOptions) {
    this.#options = options;
  }

  /** Records that an operation succeeded. */
  succeeded(operation: Operation): void {
    this.#lastSuccessAt = performance.now();
    this.#connectionAdvice = undefined;
    if (!this.#failures.delete(operation) || this.#failures.size > 0) return;
    this.#reported.clear();
    if (this.#isOutageReported) this.#options.log.info({}, 'the store can be reached again');
    this.#isOutageReported = false;
  }

  /** Records that an operation failed. A right that is missing for one stream is a failure only if a probe is denied too. */
  failed(operation: Operation, error: unknown): void {
    if (operation !== 'follow' && isDenied(error)) {
      this.#report(operation, adviceFor(operation, error, this.#options.access));
      void this.#probe(operation);
      return;
    }
    this.#record(operation, error);
    void this.#probeUntilReachable(operation);
  }

  #record(operation: Operation, error: unknown): void {
    const { access, now } = this.#options;
    const known = this.#failures.get(operation);
    const startedAt = known?.startedAt ?? performance.now();
    const advice = adviceFor(operation, error, access) ?? this.#connectionAdvice;
    this.#failures.set(operation, {
      since: known?.since ?? now(),
      startedAt,
      detail: describe(error),
      advice,
    });
    if (advice !== undefined) this.#report(operation, advice);
    else if (isConnectionFailure(error)) void this.#diagnose(operation, error);
    if (performance.now() - startedAt >= this.#options.outageMs) this.#reportOutage(describe(error));
  }

  /** Reports an outage, once. */
  #reportOutage(why: string): void {
    if (this.#isOutageReported) return;
    this.#isOutageReported = true;
    this.#options.log.warn({ why }, 'the store cannot be reached; writes are refused until it can');
  }

  /** Reports what an operator has to do, once. */
  #report(operation: Operation, advice: string | undefined): void {
    if (advice === undefined || this.#reported.has(advice)) return;
    this.#reported.add(advice);
    this.#isOutageReported = true;
    this.#options.log.error({ operation }, advice);
  }

  async #diagnose(operation: Operation, error: unknown): Promise<void> {
    if (performance.now() - this.#diagnosedAt < DIAGNOSE_EVERY_MS) return;
    this.#diagnosedAt = performance.now();
    this.#connectionAdvice = await this.#options.diagnose();
    if (this.#connectionAdvice !== undefined && this.#failures.has(operation)) this.#record(operation, error);
  }

  async #probeUntilReachable(operation: Operation): Promise<void> {
    if (this.#probing.has(operation)) return;
    this.#probing.add(operation);
    const { signal } = this.#options;
    while (this.#failures.has(operation) && !signal.aborted) {
      await wait(PROBE_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      const isFollowed = operation === 'follow' && this.#followers > 0;
      if (this.#failures.has(operation) && !signal.aborted && !isFollowed) await this.#probe(operation);
    }
    this.#probing.delete(operation);
  }

  async #probe(operation: Operation): Promise<void> {
    try {
      await this.#options.probes[operation]();
      this.succeeded(operation);
    } catch (error) {
      this.#record(operation, error);
      void this.#probeUntilReachable(operation);
    }
  }

  /**
   * @throws StoreRefused if an operation is known not to work: an operator has to act, or nothing of the server answered for 5 s.
   */
  require(operation: Operation): void {
    for (const [failed, { advice, startedAt, detail }] of this.#failures) {
      // A fact must not be accepted while the ledger cannot see its own log.
      const isAffected = failed === operation || (failed === 'follow' && operation === 'append');
      if (advice !== undefined && (isAffected || advice === this.#connectionAdvice))
        throw new StoreRefused(advice);
      const isDown = failed === operation || this.#lastSuccessAt < startedAt;
      const failedForMs = performance.now() - startedAt;
      if (!isDown || failedForMs < this.#options.outageMs) continue;
      this.#reportOutage(detail);
      throw new StoreRefused(`the store does not answer for ${Math.round(failedForMs / 1_000)} s: ${detail}`);
    }
  }

  /** Records that a follower begins. @returns a function that records its end. */
  followerBegins(): () => void {
    this.#followers++;
    return () => {
      this.#followers--;
    };
  }

  /** Records that a follower subscribes again. */
  resubscribed(): void {
    this.#reconnects++;
  }

  health(): StoreHealth {
    const failures = [...this.#failures.values()];
    const reconnects = this.#reconnects;
    if (failures.length === 0)
      return { reachable: true, unreachableSince: undefined, detail: undefined, reconnects };
    const advised = failures.find(({ advice }) => advice !== undefined);
    return {
      reachable: false,
      reconnects,
      unreachableSince: Math.min(...failures.map(({ since }) => since)),
      detail: advised?.advice ?? failures[0]?.detail,
      needsOperator: advised !== undefined,
    };
  }
}

function isDenied(error: unknown): boolean {
  return commandError(error) instanceof AccessDeniedError;
}

function isConnectionFailure(error: unknown): boolean {
  return error instanceof StoreUnavailable || commandError(error) instanceof UnavailableError;
}
