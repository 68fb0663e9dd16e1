import type {
  Batch,
  EventStore,
  Expected,
  LogEvent,
  NewEvent,
  ReadOptions,
  RecordedEvent,
  StoreHealth,
} from '../eventstore/event-store.ts';

/** The log takes nothing more, since it is not what was signed. Nothing was written. */
export class ReadOnly extends Error {
  override readonly name = 'ReadOnly';
}

/** Whether the log may be added to. Once closed it stays so: people have to look at the log first. */
export class WriteGate {
  #why: string | undefined;

  close(why: string): void {
    this.#why ??= why;
  }

  /** Why the log takes nothing more; `undefined` while it does. */
  get why(): string | undefined {
    return this.#why;
  }
}

/** A store whose log takes nothing once the gate is closed. It is still read, and state, which is no part of the log, written. */
export class GuardedStore implements EventStore {
  readonly #store: EventStore;
  readonly #gate: WriteGate;

  constructor(store: EventStore, gate: WriteGate) {
    this.#store = store;
    this.#gate = gate;
  }

  get isSoleWriter(): boolean {
    return this.#store.isSoleWriter;
  }

  /** @throws ReadOnly, and what the store throws. */
  append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    const { why } = this.#gate;
    if (why === undefined || stream.startsWith('~')) return this.#store.append(stream, events, expected);
    return Promise.reject(new ReadOnly(why));
  }

  readStream(stream: string, options?: ReadOptions): AsyncIterable<RecordedEvent> {
    return this.#store.readStream(stream, options);
  }

  readAll(after: number): AsyncIterable<readonly LogEvent[]> {
    return this.#store.readAll(after);
  }

  follow(after: number, signal: AbortSignal): AsyncIterable<Batch> {
    return this.#store.follow(after, signal);
  }

  head(): Promise<number> {
    return this.#store.head();
  }

  keepLast(stream: string, count: number): Promise<void> {
    return this.#store.keepLast(stream, count);
  }

  health(): StoreHealth {
    return this.#store.health();
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
