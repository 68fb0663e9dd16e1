import type { Operations } from '../util/operation-listeners.ts';
import type { Append, EventStore, Expected, NewEvent } from './event-store.ts';
import {
  InvalidAppend,
  LogBehind,
  StoreClosed,
  StoreFull,
  StoreUnavailable,
  VersionConflict,
} from './store-errors.ts';
import { WrappedStore } from './wrapped-store.ts';

/** Outcomes of an append that failed, by its error. */
const OUTCOMES = [
  [VersionConflict, 'conflict'],
  [StoreUnavailable, 'unavailable'],
  [StoreFull, 'full'],
  [LogBehind, 'behind'],
  [InvalidAppend, 'invalid'],
  [StoreClosed, 'closed'],
] as const;

/** A store whose appends are observed. */
export class ObservedStore extends WrappedStore {
  readonly #operations: Operations;

  constructor(store: EventStore, operations: Operations) {
    super(store);
    this.#operations = operations;
  }

  override append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    const ended = this.#operations.begin('append', { stream, events: events.length });
    // Not an async function, so that appends reach the store in the order of the calls.
    const append = super.append(stream, events, expected);
    append.then(
      () => ended('appended'),
      (error: unknown) => ended(outcomeOf(error)),
    );
    return append;
  }

  override appendAll(appends: readonly Append[]): Promise<PromiseSettledResult<number>[]> {
    const ended = appends.map(({ stream, events }) =>
      this.#operations.begin('append', { stream, events: events.length }),
    );
    return this.wrapped.appendAll(appends).then((results) => {
      for (const [i, result] of results.entries())
        ended[i]?.(result.status === 'fulfilled' ? 'appended' : outcomeOf(result.reason));
      return results;
    });
  }
}

function outcomeOf(error: unknown): string {
  return OUTCOMES.find(([kind]) => error instanceof kind)?.[1] ?? 'failed';
}
