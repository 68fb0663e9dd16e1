import type { Position } from '../util/log-numbers.ts';
import type {
  Batch,
  EventStore,
  Expected,
  LogEvent,
  NewEvent,
  ReadOptions,
  RecordedEvent,
  StoreHealth,
  StoreLoss,
} from './event-store.ts';

/** Delegates every method to another store. Subclasses override the methods that they change. */
export class WrappedStore implements EventStore {
  readonly #store: EventStore;

  constructor(store: EventStore) {
    this.#store = store;
  }

  get isSoleWriter(): boolean {
    return this.#store.isSoleWriter;
  }

  get loss(): StoreLoss | undefined {
    return this.#store.loss;
  }

  append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    return this.#store.append(stream, events, expected);
  }

  readStream(stream: string, options?: ReadOptions): AsyncIterable<RecordedEvent> {
    return this.#store.readStream(stream, options);
  }

  readAll(after: Position): AsyncIterable<readonly LogEvent[]> {
    return this.#store.readAll(after);
  }

  follow(after: Position, signal: AbortSignal): AsyncIterable<Batch> {
    return this.#store.follow(after, signal);
  }

  head(): Promise<number> {
    return this.#store.head();
  }

  keepLast(stream: string, count: number): Promise<void> {
    return this.#store.keepLast(stream, count);
  }

  stateStreams(): Promise<readonly string[]> {
    return this.#store.stateStreams();
  }

  signed(position: Position): void {
    this.#store.signed(position);
  }

  health(): StoreHealth {
    return this.#store.health();
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
