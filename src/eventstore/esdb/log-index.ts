import type { Position } from '@eventstore/db-client';
import type { NewEvent, RecordedEvent } from '../event-store.ts';
import { VersionConflict } from '../store-errors.ts';

/** Where an event of the log stands: our number of it, and the server's position. Number 0 stands before the first. */
export interface Mark {
  readonly number: number;
  readonly at: Position | undefined;
}

/** Events between two marks that are kept. */
export const MARK_EVERY = 1_000;

export const LOG_INDEX_STREAM = '~log-index';

/** Places of recent events kept in memory. */
const RECENT = 65_536;

/** A version 8 UUID (RFC 9562, section 5.8) that holds the number: whoever writes an entry writes the same. */
function idOf(number: number): string {
  return `636c6564-0000-8000-8000-${number.toString(16).padStart(12, '0')}`;
}

interface IndexStore {
  append(stream: string, events: readonly NewEvent[], expected: number | 'absent'): Promise<number>;
  readStream(
    stream: string,
    options: { readonly from?: number; readonly direction?: 'backwards'; readonly limit: number },
  ): AsyncIterable<RecordedEvent>;
}

/**
 * Numbers the events of a namespace, 1, 2, 3, …, in the order of the server's log. Who follows counts; the server's
 * position of every 1,000th is kept in a state stream (event `n` of it says where number `1,000 (n + 1)` is), so that any
 * place is found by counting at most 1,000. Whoever writes an entry writes the same.
 */
export class LogIndex {
  readonly #store: IndexStore;
  readonly #failed: (error: unknown) => void;
  /** Places of the events up to `#last`, a ring by number. */
  readonly #recent: (Position | undefined)[] = new Array(RECENT);
  #first = 0;
  #last = 0;
  /** Entries known to be in the stream. */
  #kept = 0;

  constructor(store: IndexStore, failed: (error: unknown) => void) {
    this.#store = store;
    this.#failed = failed;
  }

  /** The highest number whose place is known here; 0 where none is. */
  get last(): number {
    return this.#last;
  }

  /** Takes note of where an event stands, as followers come by. */
  note(number: number, at: Position): void {
    if (number === this.#last + 1 || this.#last === 0) {
      if (this.#last === 0) this.#first = number;
      this.#last = number;
      this.#recent[number % RECENT] = at;
      this.#first = Math.max(this.#first, number - RECENT + 1);
    }
    if (number % MARK_EVERY === 0 && number / MARK_EVERY > this.#kept)
      void this.#keep(number / MARK_EVERY - 1, at);
  }

  /** The nearest mark at or before a number from which to count. */
  async markFor(number: number): Promise<Mark> {
    if (number === 0) return { number: 0, at: undefined };
    const recent = Math.min(number, this.#last);
    if (recent > 0 && recent >= this.#first && number - recent < MARK_EVERY) {
      return { number: recent, at: this.#recent[recent % RECENT] };
    }
    const wanted = Math.floor(number / MARK_EVERY) - 1;
    if (wanted < 0) return { number: 0, at: undefined };
    return (await this.#read({ from: wanted, limit: 1 })) ?? this.#lastKept();
  }

  async #lastKept(): Promise<Mark> {
    return (await this.#read({ direction: 'backwards', limit: 1 })) ?? { number: 0, at: undefined };
  }

  async #read(options: Parameters<IndexStore['readStream']>[1]): Promise<Mark | undefined> {
    for await (const { data } of this.#store.readStream(LOG_INDEX_STREAM, options)) {
      const { number, commit, prepare } = data as { number: number; commit: string; prepare: string };
      this.#kept = Math.max(this.#kept, number / MARK_EVERY);
      return { number, at: { commit: BigInt(commit), prepare: BigInt(prepare) } };
    }
    return undefined;
  }

  async #keep(entry: number, { commit, prepare }: Position): Promise<void> {
    const number = (entry + 1) * MARK_EVERY;
    const data = { number, commit: String(commit), prepare: String(prepare) };
    const event = {
      id: idOf(number),
      type: 'LogIndexed',
      data,
      metadata: {},
      recordedAt: 0,
    };
    try {
      await this.#store.append(LOG_INDEX_STREAM, [event], entry === 0 ? 'absent' : entry - 1);
      this.#kept = Math.max(this.#kept, entry + 1);
    } catch (error) {
      // Somebody else keeps it, or has; or it is kept the next time that a follower comes by.
      if (!(error instanceof VersionConflict)) this.#failed(error);
    }
  }
}
