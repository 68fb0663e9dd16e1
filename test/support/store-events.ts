import { randomUUID } from 'node:crypto';
import type {
  Batch,
  EventStore,
  LogEvent,
  NewEvent,
  RecordedEvent,
} from '../../src/eventstore/event-store.ts';

/** An event that nothing depends on, with an id of its own. */
export function anEvent(data: NewEvent['data'] = {}, more: Partial<NewEvent> = {}): NewEvent {
  return {
    id: randomUUID(),
    type: 'SomethingHappened',
    data,
    metadata: {},
    recordedAt: 1_700_000_000_000,
    ...more,
  };
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export async function readLog(store: EventStore, after = 0): Promise<LogEvent[]> {
  return (await collect(store.readAll(after))).flat();
}

export function idsOf(events: readonly RecordedEvent[] | readonly NewEvent[]): string[] {
  return events.map(({ id }) => id);
}

/** A follower that keeps what it has seen, for a test to wait on. */
export class Watcher {
  readonly seen: LogEvent[] = [];
  isCaughtUp = false;
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();
  readonly #waiting = new Set<() => void>();

  constructor(store: EventStore, after = 0) {
    this.ended = this.#run(store.follow(after, this.#stop.signal));
  }

  async #run(batches: AsyncIterable<Batch>): Promise<void> {
    for await (const { events, caughtUp } of batches) {
      this.seen.push(...events);
      this.isCaughtUp ||= caughtUp;
      for (const check of this.#waiting) check();
    }
  }

  async until(holds: (watcher: Watcher) => boolean): Promise<void> {
    if (holds(this)) return;
    await new Promise<void>((resolve) => {
      const check = () => {
        if (!holds(this)) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.ended;
  }
}
