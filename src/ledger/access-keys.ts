import { timingSafeEqual } from 'node:crypto';
import {
  type AccessKey,
  applyAccessEvent,
  keyCreatedData,
  keyState,
  type NewKey,
} from '../domain/access/access-key.ts';
import { LEDGER_SOURCE } from '../domain/facts/cloud-event.ts';
import { ACCESS_STREAM, KEY_CREATED, KEY_REVOKED } from '../domain/stream-table.ts';
import type { Instant } from '../domain/time.ts';
import type { EventStore, NewEvent } from '../eventstore/event-store.ts';
import { StoreUnavailable } from '../eventstore/store-errors.ts';
import { isAppended } from './append-at-end.ts';
import { type Deadline, retryUntil, writeDeadline } from './append-with-retry.ts';
import { eventId } from './event-id.ts';
import { hashSecret, type KeyText, newKeyText } from './key-text.ts';

/** Age from which the known keys are read again while they are still used. */
const REFRESH_AFTER_MS = 5_000;
/** Age from which a caller waits until the keys are read again. */
const WAIT_AFTER_MS = 25_000;
/** Age from which nobody is let in: a key could have been revoked since. */
const TOO_OLD_MS = 55_000;
/** Minimum time between two reads because of an unknown key. */
const UNKNOWN_AFTER_MS = 1_000;

export interface AccessKeysOptions {
  /** The wall clock, in milliseconds since the epoch. Keys expire by it. */
  readonly now: () => Instant;
  /** Returns the time that events are stamped with (see `RecordingClock`). */
  readonly recordingTime: () => Instant;
  /** A clock that nobody can set, in milliseconds. */
  readonly monotonic: () => number;
  /** Whether a caller who is an operator exists without a key, such as the issuer of a token. */
  readonly hasOtherOperators: boolean;
}

/** Why a command about keys was rejected. */
export type KeyRejection =
  | { readonly code: 'operator-key-first' }
  | { readonly code: 'last-operator-key'; readonly keyId: string };

export type KeyCreation =
  | { readonly outcome: 'created'; readonly key: AccessKey; readonly text: string }
  | { readonly outcome: 'rejected'; readonly rejection: KeyRejection };

export type KeyRevocation =
  | { readonly outcome: 'revoked'; readonly key: AccessKey }
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'rejected'; readonly rejection: KeyRejection };

/**
 * The API keys: events of the stream `access`, which every replica reads. The stream is short, so it is read directly and not
 * through the projections: keys are known before the ledger has caught up. A replica notices a revocation within 30 seconds. If
 * it cannot read the stream for longer, it lets nobody in.
 */
export class AccessKeys {
  readonly #store: EventStore;
  readonly #options: AccessKeysOptions;
  readonly #keys = new Map<string, AccessKey>();
  #revision = -1;
  /** Monotonic time of the last complete read; `undefined` before the first one. */
  #readAt: number | undefined;
  #reading: Promise<void> | undefined;

  constructor(store: EventStore, options: AccessKeysOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Returns the known keys in the order of their creation, at most 30 seconds old. @throws StoreUnavailable */
  async all(): Promise<readonly AccessKey[]> {
    await this.#refreshIfOld();
    return this.known;
  }

  /** The keys that this process knows, in the order of their creation. */
  get known(): readonly AccessKey[] {
    return [...this.#keys.values()];
  }

  /** Whether this process knows a key. */
  get isAnyKnown(): boolean {
    return this.#keys.size > 0;
  }

  /** Whether this process has read lately that no key was ever created. */
  get isKnownToBeEmpty(): boolean {
    return this.#keys.size === 0 && this.#age <= REFRESH_AFTER_MS;
  }

  /** Returns whether any key was ever created, as this process knows. Waits for the first read only. @throws StoreUnavailable */
  async hasAny(): Promise<boolean> {
    if (this.#readAt === undefined) await this.refresh();
    else if (this.#age > REFRESH_AFTER_MS) this.refresh().catch(() => undefined);
    return this.#keys.size > 0;
  }

  /** Returns whether a key for an operator was ever created. @throws StoreUnavailable */
  async hasOperatorKey(): Promise<boolean> {
    return (await this.all()).some(({ role }) => role === 'operator');
  }

  /** Returns a key by its id. @throws StoreUnavailable */
  async find(id: string): Promise<AccessKey | undefined> {
    await this.#refreshIfOld();
    if (!this.#keys.has(id) && this.#age > UNKNOWN_AFTER_MS) await this.refresh();
    return this.#keys.get(id);
  }

  /**
   * Returns the key that a caller presents, whatever its state, if the secret is right. The comparison takes the same time for
   * every secret, also if the id is unknown.
   * @throws StoreUnavailable
   */
  async verify({ id, secret }: Pick<KeyText, 'id' | 'secret'>): Promise<AccessKey | undefined> {
    const key = await this.find(id);
    const presented = Buffer.from(hashSecret(secret), 'hex');
    const expected = key === undefined ? Buffer.alloc(presented.length) : Buffer.from(key.secretHash, 'hex');
    return timingSafeEqual(presented, expected) ? key : undefined;
  }

  /**
   * Creates a key. The first key must be one of an operator, since with the first key every request needs one.
   * @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
   */
  async create(key: NewKey, by: string): Promise<KeyCreation> {
    const { id, secret, text } = newKeyText();
    const data = keyCreatedData(id, hashSecret(secret), key);
    const rejected = await this.#append(KEY_CREATED, data, by, () => {
      const isFirst = this.#keys.size === 0 && !this.#options.hasOtherOperators;
      return isFirst && key.role !== 'operator' ? { code: 'operator-key-first' } : undefined;
    });
    if (rejected !== undefined) return { outcome: 'rejected', rejection: rejected };
    return { outcome: 'created', key: this.#keys.get(id) as AccessKey, text };
  }

  /**
   * Revokes a key. Revoking it again changes nothing. The last active key of an operator cannot be revoked.
   * @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
   */
  async revoke(keyId: string, reason: string | undefined, by: string): Promise<KeyRevocation> {
    await this.refresh();
    const known = this.#keys.get(keyId);
    if (known === undefined) return { outcome: 'unknown' };
    if (known.revoked !== undefined) return { outcome: 'revoked', key: known };
    const data = { keyId, ...(reason !== undefined && { reason }) };
    const rejected = await this.#append(KEY_REVOKED, data, by, () =>
      this.#isLastOperator(keyId) ? { code: 'last-operator-key', keyId } : undefined,
    );
    if (rejected !== undefined) return { outcome: 'rejected', rejection: rejected };
    return { outcome: 'revoked', key: this.#keys.get(keyId) as AccessKey };
  }

  #isLastOperator(keyId: string): boolean {
    if (this.#options.hasOtherOperators || this.#keys.get(keyId)?.role !== 'operator') return false;
    const now = this.#options.now();
    const others = [...this.#keys.values()].filter(({ id, role }) => role === 'operator' && id !== keyId);
    return !others.some((other) => keyState(other, now) === 'active');
  }

  /** Appends one event behind the last known one, unless the keys as they are then forbid it. */
  async #append(
    type: string,
    data: NewEvent['data'],
    actor: string,
    rejection: () => KeyRejection | undefined,
  ): Promise<KeyRejection | undefined> {
    const deadline = writeDeadline();
    for (;;) {
      await retryUntil(() => this.refresh(), deadline);
      const rejected = rejection();
      if (rejected !== undefined) return rejected;
      const isDone = await this.#isAppended({ type, data, actor }, deadline);
      await retryUntil(() => this.refresh(), deadline);
      if (isDone) return undefined;
    }
  }

  #isAppended(
    { type, data, actor }: Pick<NewEvent, 'type' | 'data'> & { actor: string },
    deadline: Deadline,
  ): Promise<boolean> {
    const last = this.#revision;
    const id = eventId(ACCESS_STREAM, last + 1, JSON.stringify(data));
    const metadata = { source: LEDGER_SOURCE, actor };
    const event = { id, type, data, metadata, recordedAt: this.#options.recordingTime() };
    return isAppended(this.#store, ACCESS_STREAM, event, last, deadline);
  }

  get #age(): number {
    return this.#readAt === undefined ? Number.POSITIVE_INFINITY : this.#options.monotonic() - this.#readAt;
  }

  /** Reads what is new in the stream. Calls at the same time share one read. @throws StoreUnavailable */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const startedAt = this.#options.monotonic();
    for await (const event of this.#store.readStream(ACCESS_STREAM, { from: this.#revision + 1 })) {
      applyAccessEvent(this.#keys, event);
      this.#revision = event.revision;
    }
    this.#readAt = startedAt;
  }

  async #refreshIfOld(): Promise<void> {
    if (this.#age <= REFRESH_AFTER_MS) return;
    const refreshed = this.refresh();
    if (this.#age <= WAIT_AFTER_MS) {
      refreshed.catch(() => undefined);
      return;
    }
    try {
      await refreshed;
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || this.#age > TOO_OLD_MS) throw error;
    }
  }
}
