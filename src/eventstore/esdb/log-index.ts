import { setTimeout as wait } from 'node:timers/promises';
import type { Position } from '@eventstore/db-client';
import type { NewEvent, RecordedEvent } from '../event-store.ts';
import { StoreClosed, VersionConflict } from '../store-errors.ts';

/** Pair of the number of an event in the log (from 1) and its position on the server. Number 0 is before the first event. */
export interface Mark {
  readonly number: number;
  readonly at: Position | undefined;
}

/** Number of events between two stored marks. */
export const MARK_EVERY = 1_000;

export const LOG_INDEX_STREAM = '~log-index';

/** Number of recent server positions in memory. */
const RECENT = 65_536;

/** Maximum number of marks in one append. */
const MAX_MARKS = 100;
/** Pauses between the attempts to store marks. Nobody waits for them: they only make a later start faster. */
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 30_000;
/** Time after which an operator should know that marks cannot be stored. */
const WARN_AFTER_MS = 60_000;

interface Options {
  /** Ends the attempts to store marks. */
  readonly signal: AbortSignal;
  /** Called if marks could not be stored for a minute. */
  readonly onFailed: (error: unknown) => void;
}

/** Returns a version 8 UUID (RFC 9562, section 5.8) that contains the number, so that every process writes the same event. */
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
 * Maps numbers of events to positions on the server. The events of a namespace are numbered from 1 in the order of the
 * server's log, which a follower does by counting. The server position of every 1,000th event is stored in a state stream
 * (its event `n` is the mark of number `1,000 (n + 1)`), so that any number is found by reading at most 1,000 events. All
 * processes write the same marks.
 */
export class LogIndex {
  readonly #store: IndexStore;
  readonly #options: Options;
  /** Server positions of the events up to `#last`: a ring buffer, indexed by number. */
  readonly #recent: (Position | undefined)[] = new Array(RECENT);
  #first = 0;
  #last = 0;
  /** Number of marks that are known to be stored. */
  #kept = 0;
  /** Server positions of marks that are to be stored, by their index in the stream, in order. */
  readonly #pending = new Map<number, Position>();
  #storing: Promise<void> | undefined;

  constructor(store: IndexStore, options: Options) {
    this.#store = store;
    this.#options = options;
  }

  /** Highest number whose server position is in memory; 0 if there is none. */
  get last(): number {
    return this.#last;
  }

  /** Records the server position of an event. Followers call it for every event. */
  note(number: number, at: Position): void {
    if (number === this.#last + 1 || this.#last === 0) {
      if (this.#last === 0) this.#first = number;
      this.#last = number;
      this.#recent[number % RECENT] = at;
      this.#first = Math.max(this.#first, number - RECENT + 1);
    }
    if (number % MARK_EVERY !== 0 || number / MARK_EVERY <= this.#kept) return;
    this.#pending.set(number / MARK_EVERY - 1, at);
    this.#storing ??= this.#storePending().finally(() => {
      this.#storing = undefined;
    });
  }

  /** Returns the nearest known mark at or before a number. */
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

  /**
   * Stores the pending marks, a few appends one after the other, so that they do not compete with facts. A failed append is
   * repeated, which is safe: marks have fixed ids.
   */
  async #storePending(): Promise<void> {
    const { signal, onFailed } = this.#options;
    const startedAt = performance.now();
    let hasWarned = false;
    for (let pause = FIRST_PAUSE_MS; this.#pending.size > 0 && !signal.aborted; ) {
      try {
        await this.#storeSome();
        pause = FIRST_PAUSE_MS;
      } catch (error) {
        if (error instanceof StoreClosed) return;
        if (!hasWarned && performance.now() - startedAt > WARN_AFTER_MS) {
          hasWarned = true;
          onFailed(error);
        }
        await wait(pause, undefined, { signal, ref: false }).catch(() => undefined);
        pause = Math.min(2 * pause, MAX_PAUSE_MS);
      }
    }
  }

  async #storeSome(): Promise<void> {
    const marks: NewEvent[] = [];
    const [first = 0] = this.#pending.keys();
    for (let index = first; marks.length < MAX_MARKS; index++) {
      const at = this.#pending.get(index);
      if (at === undefined) break;
      marks.push(markEvent(index, at));
    }
    try {
      await this.#store.append(LOG_INDEX_STREAM, marks, first === 0 ? 'absent' : first - 1);
      this.#kept = Math.max(this.#kept, first + marks.length);
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
      // Another process has stored marks. If marks before these are missing, a follower that starts before them stores them.
      await this.#lastKept();
      if (this.#kept <= first) this.#pending.clear();
    }
    for (const index of this.#pending.keys()) if (index < this.#kept) this.#pending.delete(index);
  }
}

function markEvent(index: number, { commit, prepare }: Position): NewEvent {
  const number = (index + 1) * MARK_EVERY;
  const data = { number, commit: String(commit), prepare: String(prepare) };
  return { id: idOf(number), type: 'LogIndexed', data, metadata: {}, recordedAt: 0 };
}
