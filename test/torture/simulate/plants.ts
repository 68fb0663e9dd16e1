import { FIRST_PERIOD_STREAM } from '../../../src/domain/stream-table.ts';
import type {
  Batch,
  EventStore,
  Expected,
  NewEvent,
  ReadOptions,
  RecordedEvent,
} from '../../../src/eventstore/event-store.ts';
import { lastRevision } from '../../../src/eventstore/last-revision.ts';
import { StoreUnavailable } from '../../../src/eventstore/store-errors.ts';
import { WrappedStore } from '../../../src/eventstore/wrapped-store.ts';

/** Mistakes that the simulator must find, by the name that `--plant` takes. */
export const PLANTS = [
  'claim-before-write',
  'skip-on-error',
  'new-ids-on-retry',
  'short-read',
  'choice-of-its-own',
] as const;
export type Plant = (typeof PLANTS)[number];

/** Returns the store with a mistake in it. `claim-before-write` is not a mistake of a store. */
export function withPlant(store: EventStore, plant: Plant | undefined, random: () => number): EventStore {
  if (plant === 'skip-on-error') return new SkipsOnError(store, random);
  if (plant === 'new-ids-on-retry') return new NewIdsOnRetry(store, random);
  if (plant === 'short-read') return new ShortRead(store);
  if (plant === 'choice-of-its-own') return new ChoiceOfItsOwn(store);
  return store;
}

/** A follower that goes on behind a batch that it could not take in. */
class SkipsOnError extends WrappedStore {
  readonly #random: () => number;

  constructor(store: EventStore, random: () => number) {
    super(store);
    this.#random = random;
  }

  override async *follow(after: number, signal: AbortSignal): AsyncGenerator<Batch> {
    for await (const batch of super.follow(after, signal)) if (this.#random() >= 0.05) yield batch;
  }
}

/** A retry that appends the events as new ones at the end of the stream. */
class NewIdsOnRetry extends WrappedStore {
  readonly #random: () => number;

  constructor(store: EventStore, random: () => number) {
    super(store);
    this.#random = random;
  }

  override async append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    try {
      return await super.append(stream, events, expected);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      const last = await lastRevision(this, stream);
      const others = events.map((event) => ({ ...event, id: this.#otherId(event.id) }));
      return super.append(stream, others, last === -1 ? 'absent' : last);
    }
  }

  #otherId(id: string): string {
    return (
      id.slice(0, 24) +
      Math.floor(this.#random() * 2 ** 48)
        .toString(16)
        .padStart(12, '0')
    );
  }
}

/** A read that ends where its connection was lost, as if it were complete. */
class ShortRead extends WrappedStore {
  override async *readStream(stream: string, options?: ReadOptions): AsyncGenerator<RecordedEvent> {
    try {
      yield* super.readStream(stream, options);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }
}

/** Each process chooses the first period alone, whatever another one has chosen. */
class ChoiceOfItsOwn extends WrappedStore {
  override append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    return stream === FIRST_PERIOD_STREAM ? Promise.resolve(0) : super.append(stream, events, expected);
  }
}
