import { isStateStream } from '../domain/stream-table.ts';
import type { EventStore, Expected, NewEvent } from '../eventstore/event-store.ts';
import { WrappedStore } from '../eventstore/wrapped-store.ts';

/** The log is closed for writing because it does not match its signed checkpoints. Nothing was written. */
export class ReadOnly extends Error {
  override readonly name = 'ReadOnly';
}

/** Closes the log for writing, until the process restarts: an operator has to examine the log first. */
export class ReadOnlyLatch {
  #why: string | undefined;

  close(why: string): void {
    this.#why ??= why;
  }

  /** Why the log is closed for writing; `undefined` while it is open. */
  get why(): string | undefined {
    return this.#why;
  }
}

/** A store that rejects appends to the log once the latch is closed. Reads and appends to state streams still work. */
export class ReadOnlyAwareStore extends WrappedStore {
  readonly #latch: ReadOnlyLatch;

  constructor(store: EventStore, latch: ReadOnlyLatch) {
    super(store);
    this.#latch = latch;
  }

  /** @throws ReadOnly if the latch is closed, and the errors of the store. */
  override append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    const { why } = this.#latch;
    if (why === undefined || isStateStream(stream)) return super.append(stream, events, expected);
    return Promise.reject(new ReadOnly(why));
  }
}
