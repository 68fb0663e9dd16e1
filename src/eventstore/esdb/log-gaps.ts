import { randomUUID } from 'node:crypto';
import type { Position } from '@eventstore/db-client';
import type { NewEvent, ReadOptions, RecordedEvent } from '../event-store.ts';
import { VersionConflict } from '../store-errors.ts';

export const LOG_GAPS_STREAM = '~log-gaps';

/** Number of gaps that are kept. */
const MAX_GAPS = 1_000;

interface GapStore {
  append(stream: string, events: readonly NewEvent[], expected: number | 'absent'): Promise<number>;
  readStream(stream: string, options: ReadOptions): AsyncIterable<RecordedEvent>;
  keepLast(stream: string, count: number): Promise<void>;
}

interface Options {
  /** Minimum size of a gap that is stored, in bytes of the server's log. */
  readonly minBytes: bigint;
  readonly now: () => number;
  /** Called if a gap cannot be stored. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Gaps between the events of a namespace: parts of the server's log that hold only events of other applications. A reader that
 * comes to a gap continues at its end, so that the server does not filter the events of the gap again. The gaps of this process
 * are in memory, and large ones are stored in a state stream, for the next start and for other processes.
 */
export class LogGaps {
  readonly #store: GapStore;
  readonly #options: Options;
  /** End of the gap behind each number of an event, oldest first. */
  readonly #ends = new Map<number, Position>();
  #loaded: Promise<void> | undefined;
  #lastRevision = -1;
  /** Server position up to which the newest gap is stored. */
  #storedUpTo = 0n;
  #storing: Promise<void> | undefined;

  constructor(store: GapStore, options: Options) {
    this.#store = store;
    this.#options = options;
  }

  /** Reads the stored gaps, once. @throws StoreUnavailable */
  async load(): Promise<void> {
    this.#loaded ??= this.#load();
    try {
      await this.#loaded;
    } catch (error) {
      this.#loaded = undefined;
      throw error;
    }
  }

  /** Returns the end of the gap behind event `number`: no event of the namespace is between them. `undefined` if none is known. */
  endAfter(number: number): Position | undefined {
    return this.#ends.get(number);
  }

  /** Returns whether the gap between two server positions is worth a new subscription. */
  isLarge(from: Position | undefined, to: Position): boolean {
    return to.commit - (from?.commit ?? 0n) >= this.#options.minBytes;
  }

  /**
   * Records that the server's log has no event of the namespace between event `number`, which is at position `from`, and `to`.
   */
  note(number: number, from: Position | undefined, to: Position): void {
    const known = this.#ends.get(number);
    if (known !== undefined && known.commit >= to.commit) return;
    this.#remember(number, to);
    const storedUpTo = known === undefined ? (from?.commit ?? 0n) : this.#storedUpTo;
    if (to.commit - storedUpTo < this.#options.minBytes || this.#storing !== undefined) return;
    this.#storing = this.#append(number, to)
      .catch(this.#options.onFailed)
      .finally(() => {
        this.#storing = undefined;
      });
  }

  #remember(number: number, end: Position): void {
    this.#ends.delete(number);
    this.#ends.set(number, end);
    for (const [oldest] of this.#ends) {
      if (this.#ends.size <= MAX_GAPS) return;
      this.#ends.delete(oldest);
    }
  }

  async #load(): Promise<void> {
    const from = this.#lastRevision + 1;
    for await (const { revision, data } of this.#store.readStream(LOG_GAPS_STREAM, { from })) {
      const { number, commit, prepare } = data as { number: number; commit: string; prepare: string };
      const end = { commit: BigInt(commit), prepare: BigInt(prepare) };
      if ((this.#ends.get(number)?.commit ?? -1n) < end.commit) this.#remember(number, end);
      this.#lastRevision = revision;
      this.#storedUpTo = end.commit;
    }
  }

  async #append(number: number, { commit, prepare }: Position): Promise<void> {
    const event = {
      id: randomUUID(),
      type: 'LogGapFound',
      data: { number, commit: String(commit), prepare: String(prepare) },
      metadata: {},
      recordedAt: this.#options.now(),
    };
    try {
      const expected = this.#lastRevision === -1 ? 'absent' : this.#lastRevision;
      this.#lastRevision = await this.#store.append(LOG_GAPS_STREAM, [event], expected);
      this.#storedUpTo = commit;
      if (expected === 'absent') await this.#store.keepLast(LOG_GAPS_STREAM, MAX_GAPS);
    } catch (error) {
      // Another process has stored a gap, probably the same one.
      if (!(error instanceof VersionConflict)) throw error;
      await this.#load();
    }
  }
}
