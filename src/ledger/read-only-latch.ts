import { isStateStream } from '../domain/stream-table.ts';
import type { Instant } from '../domain/time.ts';
import type { Append, EventStore, Expected, NewEvent } from '../eventstore/event-store.ts';
import { WrappedStore } from '../eventstore/wrapped-store.ts';
import type { Position } from '../util/log-numbers.ts';

/** Why the log is closed for writing, named like the alert: it is not what was signed, or it lacks acknowledged events. */
export interface Closure {
  readonly kind: 'log-tampered' | 'log-behind';
  readonly why: string;
  readonly since: Instant;
  /** Last position up to which the log is as it was acknowledged, as far as is known. */
  readonly intactThrough: Position;
}

/** The log is closed for writing. Nothing was written. */
export class ReadOnly extends Error {
  override readonly name = 'ReadOnly';
  readonly kind: Closure['kind'];

  constructor({ kind, why }: Pick<Closure, 'kind' | 'why'>) {
    super(why);
    this.kind = kind;
  }
}

/** Closes the log for writing, until the process restarts or an operator has decided: somebody has to examine the log first. */
export class ReadOnlyLatch {
  readonly #now: () => Instant;
  #closure: Closure | undefined;

  constructor(now: () => Instant) {
    this.#now = now;
  }

  close(kind: Closure['kind'], why: string, intactThrough: Position = 0): void {
    this.#closure ??= { kind, why, since: this.#now(), intactThrough };
  }

  /** Why the log is closed for writing; `undefined` while it is open. */
  get closure(): Closure | undefined {
    return this.#closure;
  }

  /** The closure, if the log lacks acknowledged events, as far as is known. */
  get loss(): Closure | undefined {
    return this.#closure?.kind === 'log-behind' ? this.#closure : undefined;
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
    const { closure } = this.#latch;
    if (closure === undefined || isStateStream(stream)) return super.append(stream, events, expected);
    return Promise.reject(new ReadOnly(closure));
  }

  override appendAll(appends: readonly Append[]): Promise<PromiseSettledResult<number>[]> {
    return this.#latch.closure === undefined ? this.wrapped.appendAll(appends) : super.appendAll(appends);
  }
}
