import { isStateStream } from '../domain/streams.ts';
import type { EventStore, Expected, NewEvent } from '../eventstore/event-store.ts';
import { WrappedStore } from '../eventstore/wrapped-store.ts';

/** The log takes nothing more, since it is not what was signed. Nothing was written. */
export class ReadOnly extends Error {
  override readonly name = 'ReadOnly';
}

/** Whether the log may be added to. Once closed it stays so: people have to look at the log first. */
export class ReadOnlyLatch {
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
export class ReadOnlyAwareStore extends WrappedStore {
  readonly #gate: ReadOnlyLatch;

  constructor(store: EventStore, gate: ReadOnlyLatch) {
    super(store);
    this.#gate = gate;
  }

  /** @throws ReadOnly, and what the store throws. */
  override append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    const { why } = this.#gate;
    if (why === undefined || isStateStream(stream)) return super.append(stream, events, expected);
    return Promise.reject(new ReadOnly(why));
  }
}
