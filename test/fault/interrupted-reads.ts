import { isDeepStrictEqual } from 'node:util';
import type { EventStore, LogEvent, RecordedEvent } from '../../src/eventstore/event-store.ts';
import { lastRevision } from '../../src/eventstore/last-revision.ts';
import { StoreUnavailable } from '../../src/eventstore/store-errors.ts';
import { anEvent, idsOf, readLog } from '../support/store-events.ts';
import { eventually } from '../support/until.ts';

/** Something that interrupts reads. */
export interface Interruption {
  readonly interrupt: () => void | Promise<void>;
  /** Makes reads possible again. By default they are after the interruption. */
  readonly heal?: () => void | Promise<void>;
}

/** A read, and the answer that it must give if it gives one. */
interface Read {
  readonly answer: () => Promise<unknown>;
  readonly expected: unknown;
}

const STREAM_EVENTS = 200;
const STREAMS = ['a', 'b', 'c'];
const STATE_STREAM = '~state';
const LOG_EVENTS = STREAMS.length * STREAM_EVENTS;
/** Number of events that a stream has, and keeps, in the reads about `keepLast`. */
const TRIMMED_EVENTS = 6;
const KEPT_EVENTS = 2;
/** The read about `keepLast`, which needs a stream for each time. */
const TRIMMING = 'what keepLast keeps';
/** A follower resumes whatever happens: it never throws. */
const FOLLOWER = 'a follower';
/** How often the place changes at which the reads of a round are interrupted. */
const PLACES = 11;
/** Share of the events of a round that are received before the last of these places: later, most of the short reads have ended. */
const LAST_PLACE = 1 / 30;

export interface InterruptedReadsOptions {
  /** Number of reads of each kind that are in progress together. */
  readonly atOnce: number;
  /** Number of interrupted reads of a kind that are enough: after that, one read of the kind is in progress. Default: never. */
  readonly enough?: number;
}

/**
 * Reads of every kind that are interrupted in progress. Each must give the whole answer or throw `StoreUnavailable`; a follower must
 * give the whole answer in the end.
 */
export class InterruptedReads {
  /** How many reads were interrupted so far, by kind. A follower counts if it was in progress. */
  readonly byKind = new Map<string, number>();
  /** How many reads gave the whole answer although they were in progress. */
  complete = 0;
  /** Answers that were not as expected. */
  readonly wrong: string[] = [];
  readonly #store: EventStore;
  readonly #options: InterruptedReadsOptions;
  /** Ids of the events of each stream. */
  readonly #ids = new Map<string, string[]>();
  /** Ids of the events of the log. */
  logIds: readonly string[] = [];
  #stateStreams: readonly string[] = [];
  #round = 0;
  /** Events received by the reads in progress, and what happens once there are enough. */
  #received = 0;
  #onReceived: () => void = () => undefined;

  private constructor(store: EventStore, options: InterruptedReadsOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Fills a store that is empty. */
  static async on(store: EventStore, options: InterruptedReadsOptions): Promise<InterruptedReads> {
    const reads = new InterruptedReads(store, options);
    for (const stream of [...STREAMS, STATE_STREAM])
      reads.#ids.set(stream, await reads.#fill(stream, STREAM_EVENTS));
    reads.logIds = idsOf(await eventually(() => readLog(store)));
    return reads;
  }

  async #fill(stream: string, count: number): Promise<string[]> {
    const events = Array.from({ length: count }, (_, i) => anEvent({ i, text: 'x'.repeat(200) }));
    await eventually(() => this.#store.append(stream, events, 'absent'));
    return idsOf(events);
  }

  get kinds(): string[] {
    return [...Object.keys(this.#readsOf('a')), TRIMMING, FOLLOWER];
  }

  /** Returns the ids of the events of `a`, `b`, `c` or `~state`. */
  idsIn(stream: string): readonly string[] {
    return this.#ids.get(stream) ?? [];
  }

  get total(): number {
    return [...this.byKind.values()].reduce((sum, count) => sum + count, 0);
  }

  /** The kind of which the fewest reads were interrupted. */
  get fewest(): number {
    return Math.min(...this.kinds.map((kind) => this.byKind.get(kind) ?? 0));
  }

  async #idsRead(events: AsyncIterable<RecordedEvent | readonly LogEvent[]>): Promise<string[]> {
    const read: string[] = [];
    for await (const each of events) {
      const some = 'id' in each ? [each] : each;
      read.push(...idsOf(some));
      this.#note(some.length);
    }
    return read;
  }

  /** Follows the log until it has as many events as there are. */
  async #followed(): Promise<string[]> {
    const read: string[] = [];
    const stop = new AbortController();
    for await (const { events } of this.#store.follow(0, stop.signal)) {
      read.push(...idsOf(events));
      this.#note(events.length);
      if (read.length >= this.logIds.length) stop.abort();
    }
    return read;
  }

  #note(count: number): void {
    this.#received += count;
    this.#onReceived();
  }

  /** Every way to read that can fail. */
  #readsOf(stream: string): Record<string, Read> {
    const store = this.#store;
    const own = this.#ids.get(stream) ?? [];
    return {
      'a stream': { answer: () => this.#idsRead(store.readStream(stream)), expected: own },
      'a stream backwards': {
        answer: () => this.#idsRead(store.readStream(stream, { direction: 'backwards' })),
        expected: own.toReversed(),
      },
      'a part of a stream': {
        answer: () => this.#idsRead(store.readStream(stream, { from: 20, limit: 150 })),
        expected: own.slice(20, 170),
      },
      'a state stream': {
        answer: () => this.#idsRead(store.readStream(STATE_STREAM)),
        expected: this.#ids.get(STATE_STREAM),
      },
      'the end of a stream': { answer: () => lastRevision(store, stream), expected: own.length - 1 },
      'the log': { answer: () => this.#idsRead(store.readAll(0)), expected: this.logIds },
      'the end of the log': {
        answer: () => this.#idsRead(store.readAll(LOG_EVENTS - 100)),
        expected: this.logIds.slice(LOG_EVENTS - 100),
      },
      'the length of the log': { answer: () => store.head(), expected: this.logIds.length },
      'the names of the state streams': { answer: () => store.stateStreams(), expected: this.#stateStreams },
    };
  }

  /** @param stream for this read only, with the ids of its events. */
  #trimming(stream: string, ids: readonly string[]): Read {
    const answer = async () => {
      await this.#store.keepLast(stream, KEPT_EVENTS);
      return this.#idsRead(this.#store.readStream(stream));
    };
    return { answer, expected: ids.slice(-KEPT_EVENTS) };
  }

  get #follower(): Read {
    return { answer: () => this.#followed(), expected: this.logIds };
  }

  /** How many reads of a kind are started in a round. */
  #startedOf(kind: string): number {
    const { atOnce, enough = Number.POSITIVE_INFINITY } = this.#options;
    return (this.byKind.get(kind) ?? 0) < enough ? atOnce : 1;
  }

  /**
   * Starts reads of every kind and interrupts them, in some rounds earlier than in others.
   * @returns how many were interrupted.
   */
  async interrupt({ interrupt, heal = () => undefined }: Interruption): Promise<number> {
    const before = this.total;
    const round = this.#round++;
    const started: [kind: string, Read][] = [];
    const names = Array.from({ length: this.#startedOf(TRIMMING) }, (_, i) => `~trimmed-${round}-${i}`);
    const trimmed = await Promise.all(names.map((name) => this.#fill(name, TRIMMED_EVENTS)));
    this.#stateStreams = await eventually(() => this.#store.stateStreams());
    for (const [i, name] of names.entries())
      started.push([TRIMMING, this.#trimming(name, trimmed[i] as string[])]);
    for (let i = 0; i < this.#options.atOnce; i++)
      for (const [kind, read] of Object.entries(this.#readsOf(STREAMS[i % STREAMS.length] as string)))
        if (i < this.#startedOf(kind)) started.push([kind, read]);
    let following = this.#startedOf(FOLLOWER);
    const place = (((round * 7) % PLACES) / (PLACES - 1)) * LAST_PLACE;
    const events = started.reduce((sum, [, { expected }]) => sum + lengthOf(expected), 0);
    const interrupted = this.#onceReceived(events * place, () => {
      this.#count(FOLLOWER, following);
      return interrupt();
    });
    const reads = started.map(([kind, read]) => this.#compare(kind, read));
    const followers = Array.from({ length: following }, () =>
      this.#compare(FOLLOWER, this.#follower).finally(() => {
        following--;
      }),
    );
    this.#onReceived();
    await Promise.all(reads);
    // If all reads failed because the machine is slow, nothing more is received.
    this.#note(events);
    await interrupted;
    await heal();
    await Promise.all(followers);
    return this.total - before;
  }

  /** Does something once the reads in progress have received a number of events. */
  #onceReceived(count: number, act: () => void | Promise<void>): Promise<void> {
    this.#received = 0;
    return new Promise((resolve, reject) => {
      this.#onReceived = () => {
        if (this.#received < count) return;
        this.#onReceived = () => undefined;
        Promise.resolve(act()).then(resolve, reject);
      };
    });
  }

  async #compare(kind: string, { answer, expected }: Read): Promise<void> {
    try {
      const given = await answer();
      if (isDeepStrictEqual(given, expected)) this.complete++;
      else this.wrong.push(`${kind}: ${JSON.stringify(given)}`);
    } catch (error) {
      if (error instanceof StoreUnavailable) this.#count(kind, 1);
      else this.wrong.push(`${kind}: ${error}`);
    }
  }

  #count(kind: string, more: number): void {
    this.byKind.set(kind, (this.byKind.get(kind) ?? 0) + more);
  }

  /** Makes every read again, without an interruption. Each must give the whole answer. */
  async repeat(): Promise<void> {
    const name = `~trimmed-${this.#round++}`;
    const trimmed = await this.#fill(name, TRIMMED_EVENTS);
    this.#stateStreams = await eventually(() => this.#store.stateStreams());
    const kinds = {
      ...this.#readsOf('a'),
      [TRIMMING]: this.#trimming(name, trimmed),
      [FOLLOWER]: this.#follower,
    };
    for (const [kind, { answer, expected }] of Object.entries(kinds)) {
      const given = await eventually(answer);
      if (!isDeepStrictEqual(given, expected))
        this.wrong.push(`${kind}, afterwards: ${JSON.stringify(given)}`);
    }
  }
}

/** Returns the number of events of an answer. */
function lengthOf(answer: unknown): number {
  return Array.isArray(answer) ? answer.length : 0;
}
