import { setTimeout as wait } from 'node:timers/promises';
import type { Rejection } from '../domain/facts/rejection.ts';
import { EVENT_REJECTED, REJECTED_STREAM } from '../domain/stream-table.ts';
import type { EventStore, NewEvent } from '../eventstore/event-store.ts';
import type { JsonObject } from '../eventstore/json.ts';
import { VersionConflict } from '../eventstore/store-errors.ts';
import { BoundedMap } from '../util/bounded-map.ts';
import type { Revision } from '../util/log-numbers.ts';
import { appendWithRetry, type Deadline, retryUntil } from './append-with-retry.ts';
import { eventId } from './event-id.ts';

/** A rejected event and the reason. */
export interface RejectedEvent {
  readonly source: string;
  readonly id: string;
  readonly clusterId: string;
  /** Who posted the event; absent in events of earlier releases. */
  readonly actor?: string;
  /** The event as it was posted, or its attributes if it cannot be kept as a whole. */
  readonly event: JsonObject;
  /** The beginning of the text that was posted, if `event` is not the whole event. */
  readonly text?: string;
  readonly rejection: Rejection;
}

interface Waiting {
  readonly rejected: RejectedEvent;
  readonly deadline: Deadline;
  resolve(): void;
  reject(error: unknown): void;
}

/** Number of recent rejections that are not recorded again, so that a producer that keeps posting does not fill the log. */
const REMEMBERED = 1_000;
const MAX_PER_APPEND = 8;

/** Records rejected events. Events that arrive during an append share the next one. */
export class RejectedEventStore {
  readonly #store: EventStore;
  readonly #now: () => number;
  readonly #remembered = new BoundedMap<string, true>(REMEMBERED);
  #revision: Revision | undefined;
  #waiting: Waiting[] = [];
  #isWorking = false;

  constructor(store: EventStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** Resolves once all events are durable. @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed */
  async keep(events: readonly RejectedEvent[], deadline: Deadline): Promise<void> {
    const kept = events.map(
      (rejected) =>
        new Promise<void>((resolve, reject) => this.#waiting.push({ rejected, deadline, resolve, reject })),
    );
    void this.#work();
    await Promise.all(kept);
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    while (this.#waiting.length > 0) {
      const next = this.#waiting.splice(0, MAX_PER_APPEND);
      try {
        const deadline = Math.min(...next.map(({ deadline }) => deadline));
        await this.#append(
          next.map(({ rejected }) => rejected),
          deadline,
        );
        for (const { resolve } of next) resolve();
      } catch (error) {
        this.#revision = undefined;
        for (const { reject } of next) reject(error);
      }
    }
    this.#isWorking = false;
  }

  async #append(rejected: readonly RejectedEvent[], deadline: Deadline): Promise<void> {
    for (;;) {
      const last = this.#revision ?? (await retryUntil(() => this.#readEnd(), deadline));
      const unrecorded = [...new Map(rejected.map((event) => [keyOf(event), event]))].filter(
        ([key]) => !this.#remembered.has(key),
      );
      if (unrecorded.length === 0) return;
      const recordedAt = this.#now();
      const events = unrecorded.map(([, event], i) => toEvent(event, last + 1 + i, recordedAt));
      try {
        const expected = last === -1 ? 'absent' : last;
        const append = { stream: REJECTED_STREAM, events, expected } as const;
        this.#revision = await appendWithRetry(this.#store, append, deadline);
        for (const [key] of unrecorded) this.#remembered.set(key, true);
        return;
      } catch (error) {
        if (!(error instanceof VersionConflict)) throw error;
        this.#revision = undefined;
        await wait(0);
      }
    }
  }

  /** Returns the last revision, or -1, and remembers the recent rejections. */
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

function toEvent(rejected: RejectedEvent, revision: Revision, recordedAt: number): NewEvent {
  const { source, id, clusterId, actor, event, text, rejection } = rejected;
  return {
    id: eventId(REJECTED_STREAM, source, id, revision),
    type: EVENT_REJECTED,
    data: { source, id, clusterId, event, ...(text !== undefined && { text }), rejection },
    metadata: { source, id, ...(actor !== undefined && { actor }) },
    recordedAt,
  };
}
