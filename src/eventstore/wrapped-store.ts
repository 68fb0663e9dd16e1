import type { Position } from '../util/log-numbers.ts';
import { appendEach } from './append-each.ts';
import type {
  Append,
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
  protected readonly wrapped: EventStore;

  constructor(store: EventStore) {
    this.wrapped = store;
  }

  get isSoleWriter(): boolean {
    return this.wrapped.isSoleWriter;
  }

  get loss(): StoreLoss | undefined {
    return this.wrapped.loss;
  }

  append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    return this.wrapped.append(stream, events, expected);
  }

  /** Makes each append by `append`, so that a subclass need only override that. */
  appendAll(appends: readonly Append[]): Promise<PromiseSettledResult<number>[]> {
    return appendEach(this, appends);
  }

  readStream(stream: string, options?: ReadOptions): AsyncIterable<RecordedEvent> {
    return this.wrapped.readStream(stream, options);
  }

  readAll(after: Position): AsyncIterable<readonly LogEvent[]> {
    return this.wrapped.readAll(after);
  }

  follow(after: Position, signal: AbortSignal): AsyncIterable<Batch> {
    return this.wrapped.follow(after, signal);
  }

  head(): Promise<number> {
    return this.wrapped.head();
  }

  keepLast(stream: string, count: number): Promise<void> {
    return this.wrapped.keepLast(stream, count);
  }

  stateStreams(): Promise<readonly string[]> {
    return this.wrapped.stateStreams();
  }

  signed(position: Position): void {
    this.wrapped.signed(position);
  }

  health(): StoreHealth {
    return this.wrapped.health();
  }

  close(): Promise<void> {
    return this.wrapped.close();
  }
}
