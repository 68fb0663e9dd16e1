import { randomUUID } from 'node:crypto';
import { CLAIMED, claimStream } from '../domain/stream-table.ts';
import { formatInstant, type Instant } from '../domain/time.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import { VersionConflict } from '../eventstore/store-errors.ts';
import type { Revision } from '../util/log-numbers.ts';

/** How long a claim lasts without a renewal. */
export const CLAIM_MS = 12_000;
/** How often the holder renews its claim. */
export const RENEW_MS = CLAIM_MS / 3;
/** Further time that others wait, for clocks that run at different speeds. */
const MARGIN_MS = 3_000;

export interface ClaimOptions {
  readonly now: () => Instant;
  /** A clock that nobody can set, in milliseconds. */
  readonly monotonic: () => number;
}

interface Seen {
  readonly revision: Revision;
  readonly owner: string | undefined;
  /** Monotonic time at which this revision was first seen. */
  readonly at: number;
}

/**
 * Claim on standing work that one process does at a time. The holder appends to the claim's stream at least every third of
 * `CLAIM_MS`. Another process takes over when it has seen no new event for `CLAIM_MS` and a margin by its own monotonic clock,
 * so that clocks of different machines are never compared. The expected revision decides between two that try at once.
 */
export class Claim {
  readonly #store: EventStore;
  readonly #stream: string;
  readonly #options: ClaimOptions;
  readonly #owner = randomUUID();
  #seen: Seen | undefined;
  #heldUntil = Number.NEGATIVE_INFINITY;

  constructor(store: EventStore, work: string, options: ClaimOptions) {
    this.#store = store;
    this.#stream = claimStream(work);
    this.#options = options;
  }

  /** Whether this process may do the work now. */
  get isHeld(): boolean {
    return this.#options.monotonic() < this.#heldUntil;
  }

  /**
   * Takes or renews the claim if no other process holds it.
   * @returns whether this process holds it. @throws StoreUnavailable, StoreFull, StoreFailed
   */
  async acquire(): Promise<boolean> {
    if (this.#heldUntil - this.#options.monotonic() > CLAIM_MS - RENEW_MS / 2) return true;
    const seen = await this.#look();
    const isFree =
      seen.owner === undefined ||
      seen.owner === this.#owner ||
      this.#store.isSoleWriter ||
      this.#options.monotonic() - seen.at >= CLAIM_MS + MARGIN_MS;
    return isFree && (await this.#append(seen.revision, this.#owner));
  }

  /** Gives the claim up, so that another process can take it at once. @throws StoreUnavailable, StoreFull, StoreFailed */
  async release(): Promise<void> {
    if (!this.isHeld) return;
    const { revision } = await this.#look();
    await this.#append(revision, undefined);
    this.#heldUntil = Number.NEGATIVE_INFINITY;
  }

  async #look(): Promise<Seen> {
    const at = this.#options.monotonic();
    for await (const { revision, data } of this.#store.readStream(this.#stream, {
      direction: 'backwards',
      limit: 1,
    })) {
      if (this.#seen?.revision === revision) return this.#seen;
      const owner = data['owner'];
      this.#seen = { revision, owner: typeof owner === 'string' ? owner : undefined, at };
      return this.#seen;
    }
    return { revision: -1, owner: undefined, at };
  }

  async #append(revision: Revision, owner: string | undefined): Promise<boolean> {
    const { now, monotonic } = this.#options;
    const at = monotonic();
    const recordedAt = now();
    const data = { ...(owner !== undefined && { owner }), until: formatInstant(recordedAt + CLAIM_MS) };
    const event = { id: randomUUID(), type: CLAIMED, data, metadata: {}, recordedAt };
    try {
      const appended = await this.#store.append(this.#stream, [event], revision === -1 ? 'absent' : revision);
      this.#seen = { revision: appended, owner, at };
      this.#heldUntil = at + CLAIM_MS;
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
      this.#heldUntil = Number.NEGATIVE_INFINITY;
      return false;
    }
    await this.#store.keepLast(this.#stream, 1);
    return true;
  }
}
