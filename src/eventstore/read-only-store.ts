import { StoreFailed } from './errors.ts';
import type { Batch, EventStore, LogEvent, ReadOptions, RecordedEvent, StoreHealth } from './event-store.ts';

/** A store that is looked at, and stays as it is. */
export class ReadOnlyStore implements EventStore {
  readonly #store: EventStore;

  constructor(store: EventStore) {
    this.#store = store;
  }

  get isSoleWriter(): boolean {
    return this.#store.isSoleWriter;
  }

  /** @throws StoreFailed always; nothing was written. */
  async append(): Promise<never> {
    throw new StoreFailed('the store was opened to be read only');
  }

  /** @throws StoreFailed always; nothing was removed. */
  async keepLast(): Promise<never> {
    throw new StoreFailed('the store was opened to be read only');
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

  health(): StoreHealth {
    return this.#store.health();
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
