import { setTimeout as wait } from 'node:timers/promises';
import type { Rejection } from '../domain/facts/rejection.ts';
import { EVENT_REJECTED, REJECTED_STREAM } from '../domain/streams.ts';
import type { EventStore, NewEvent } from '../eventstore/event-store.ts';
import type { JsonObject } from '../eventstore/json.ts';
import { VersionConflict } from '../eventstore/store-errors.ts';
import { BoundedMap } from '../util/bounded-map.ts';
import { eventId } from './event-id.ts';
import { appendWithRetry, type Deadline, retryUntil } from './retry.ts';

/** What was refused, and why. */
export interface RejectedEvent {
  readonly source: string;
  readonly id: string;
  readonly clusterId: string;
  /** The event as it was posted. */
  readonly event: JsonObject;
  readonly rejection: Rejection;
}

interface Waiting {
  readonly refused: RejectedEvent;
  readonly deadline: Deadline;
  resolve(): void;
  reject(error: unknown): void;
}

/** Refusals that a repeat is compared with, so that a producer that insists does not fill the log. */
const REMEMBERED = 1_000;
const MOST_PER_APPEND = 8;

/** Keeps refused events in their stream; those that come while one append is under way share the next. */
export class RejectedEventStore {
  readonly #store: EventStore;
  readonly #now: () => number;
  readonly #remembered = new BoundedMap<string, true>(REMEMBERED);
  #revision: number | undefined;
  #waiting: Waiting[] = [];
  #working = false;

  constructor(store: EventStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** Resolves once all are kept, or were before. @throws OutcomeUnknown, StoreFull, StoreFailed */
  async keep(refused: readonly RejectedEvent[], deadline: Deadline): Promise<void> {
    const kept = refused.map(
      (each) =>
        new Promise<void>((resolve, reject) =>
          this.#waiting.push({ refused: each, deadline, resolve, reject }),
        ),
    );
    void this.#work();
    await Promise.all(kept);
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    while (this.#waiting.length > 0) {
      const next = this.#waiting.splice(0, MOST_PER_APPEND);
      try {
        const deadline = Math.min(...next.map((each) => each.deadline));
        await this.#append(
          next.map(({ refused }) => refused),
          deadline,
        );
        for (const { resolve } of next) resolve();
      } catch (error) {
        this.#revision = undefined;
        for (const { reject } of next) reject(error);
      }
    }
    this.#working = false;
  }

  async #append(refused: readonly RejectedEvent[], deadline: Deadline): Promise<void> {
    for (;;) {
      const last = this.#revision ?? (await retryUntil(() => this.#readEnd(), deadline));
      const fresh = [...new Map(refused.map((each) => [keyOf(each), each])).entries()].filter(
        ([key]) => !this.#remembered.has(key),
      );
      if (fresh.length === 0) return;
      const recordedAt = this.#now();
      const events = fresh.map(([, each], i) => toEvent(each, last + 1 + i, recordedAt));
      try {
        const expected = last === -1 ? 'absent' : last;
        this.#revision = await appendWithRetry(this.#store, REJECTED_STREAM, events, expected, deadline);
        for (const [key] of fresh) this.#remembered.set(key, true);
        return;
      } catch (error) {
        if (!(error instanceof VersionConflict)) throw error;
        this.#revision = undefined;
        await wait(0);
      }
    }
  }

  /** The last revision, or -1; remembers the refusals before it on the way. */
  async #readEnd(): Promise<number> {
    let last = -1;
    const recent: string[] = [];
    const options = { direction: 'backwards', limit: REMEMBERED } as const;
    for await (const { revision, data } of this.#store.readStream(REJECTED_STREAM, options)) {
      last = Math.max(last, revision);
      recent.push(keyOf(data as unknown as RejectedEvent));
    }
    for (const key of recent.reverse()) this.#remembered.set(key, true);
    return last;
  }
}

function keyOf({ event, rejection }: RejectedEvent): string {
  return eventId(JSON.stringify(event), rejection.code);
}

function toEvent(refused: RejectedEvent, revision: number, recordedAt: number): NewEvent {
  const { source, id, clusterId, event, rejection } = refused;
  return {
    id: eventId(REJECTED_STREAM, source, id, revision),
    type: EVENT_REJECTED,
    data: { source, id, clusterId, event, rejection },
    metadata: { source, id },
    recordedAt,
  };
}
