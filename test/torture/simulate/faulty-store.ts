import { appendEach } from '../../../src/eventstore/append-each.ts';
import type {
  Append,
  Batch,
  EventStore,
  Expected,
  LogEvent,
  NewEvent,
  ReadOptions,
  RecordedEvent,
} from '../../../src/eventstore/event-store.ts';
import { prepareAppend } from '../../../src/eventstore/prepare-append.ts';
import { StoreRefused, StoreUnavailable } from '../../../src/eventstore/store-errors.ts';
import type { SharedLog } from './shared-log.ts';
import type { VirtualTime } from './virtual-time.ts';

/** How often the ways to the store fail, as probabilities, and for how long. Zero in the quiet phase. */
export interface Faults {
  /** A request does not arrive. */
  lostRequest: number;
  /** A request arrives, and its answer does not. */
  lostReply: number;
  /** A read fails, before or after its first events. */
  failedRead: number;
  /** The connection of a follower is lost; it then resumes. */
  lostFollower: number;
  /** Maximum delay of a message in milliseconds. */
  maxDelayMs: number;
}

/** Numbers of faults, so that a run can say what it has tried. */
export interface Happened {
  lostRequests: number;
  lostReplies: number;
  failedReads: number;
  refused: number;
}

interface World {
  readonly time: VirtualTime;
  readonly random: () => number;
  readonly log: SharedLog;
  readonly faults: Faults;
  readonly happened: Happened;
}

/** Time after which a client gives up on an answer of the store. */
const TIMEOUT_MS = 5_000;
const MAX_BATCH = 7;

/** A store as one process sees it, over a network that delays, loses, and is cut off. */
export class FaultyStore implements EventStore {
  readonly isSoleWriter = false;
  readonly loss = undefined;
  readonly #world: World;
  /** Whether the process was killed: nothing reaches it any more. */
  isDead = false;
  isCutOff = false;
  /** Appends arrive in the order of the calls. */
  #lastArrival = 0;

  constructor(world: World) {
    this.#world = world;
  }

  async append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    prepareAppend(stream, events);
    if (this.isDead) return new Promise(() => undefined);
    const { time, log, faults, happened } = this.#world;
    if (this.isCutOff && this.#chance(0.5)) {
      happened.refused++;
      throw new StoreRefused('the store is known to be away');
    }
    const isLost = this.isCutOff || this.#chance(faults.lostRequest);
    const isReplyLost = this.#chance(faults.lostReply);
    this.#lastArrival = Math.max(this.#lastArrival, time.now + this.#delay());
    await time.wait(this.#lastArrival - time.now);
    // A process that is killed may have sent the request.
    let outcome: { readonly revision: number } | { readonly error: unknown } | undefined;
    if (!isLost) {
      try {
        outcome = { revision: log.append(stream, events, expected) };
      } catch (error) {
        outcome = { error };
      }
    }
    if (outcome === undefined || isReplyLost || this.isCutOff) {
      happened[outcome === undefined ? 'lostRequests' : 'lostReplies']++;
      await this.#arrives(time.wait(TIMEOUT_MS));
      throw new StoreUnavailable('no answer');
    }
    await this.#arrives(time.wait(this.#delay()));
    if ('error' in outcome) throw outcome.error;
    return outcome.revision;
  }

  appendAll(appends: readonly Append[]): Promise<PromiseSettledResult<number>[]> {
    return appendEach(this, appends);
  }

  async *readStream(stream: string, options: ReadOptions = {}): AsyncGenerator<RecordedEvent> {
    const { direction = 'forwards', limit = Number.POSITIVE_INFINITY } = options;
    await this.#read();
    const events = this.#world.log.stream(stream);
    const last = events.length - 1;
    const from = options.from ?? (direction === 'forwards' ? 0 : last);
    const found =
      direction === 'forwards'
        ? events.slice(from, from + limit)
        : events
            .slice(0, from + 1)
            .reverse()
            .slice(0, limit);
    const breaksAfter = this.#chance(this.#world.faults.failedRead)
      ? this.#below(found.length + 1)
      : undefined;
    for (const [i, event] of found.entries()) {
      if (i === breaksAfter) this.#failRead();
      yield event;
    }
    if (breaksAfter === found.length) this.#failRead();
  }

  async *readAll(after: number): AsyncGenerator<readonly LogEvent[]> {
    await this.#read();
    yield this.#world.log.events.slice(after);
  }

  async *follow(after: number, signal: AbortSignal): AsyncGenerator<Batch> {
    const { time, log, faults } = this.#world;
    let position = after;
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      if (!isFirst && position === log.events.length) await this.#arrives(log.grown);
      await this.#arrives(time.wait(1 + this.#delay()));
      // The connection is lost, and the follower resumes.
      while (this.isCutOff || this.#chance(faults.lostFollower)) await this.#arrives(time.wait(500));
      const events = log.events.slice(position, position + 1 + this.#below(MAX_BATCH));
      position += events.length;
      yield { events, caughtUp: position === log.events.length };
    }
  }

  async head(): Promise<number> {
    await this.#read();
    return this.#world.log.events.length;
  }

  async keepLast(): Promise<void> {}

  async stateStreams(): Promise<string[]> {
    await this.#read();
    return this.#world.log.stateStreams();
  }

  signed(): void {}

  health() {
    return { reachable: !this.isCutOff, unreachableSince: undefined, detail: undefined };
  }

  async close(): Promise<void> {}

  async #read(): Promise<void> {
    const { time, faults } = this.#world;
    const isLost = this.isCutOff || this.#chance(faults.failedRead);
    await this.#arrives(time.wait(isLost ? TIMEOUT_MS : this.#delay()));
    if (isLost || this.isCutOff) this.#failRead();
  }

  #failRead(): never {
    this.#world.happened.failedReads++;
    throw new StoreUnavailable('the connection was lost');
  }

  /** Settles as a promise does, unless the process is dead then: nothing ever happens in it again. */
  #arrives<T>(promise: Promise<T>): Promise<T> {
    return promise.then((value) => (this.isDead ? new Promise<T>(() => undefined) : value));
  }

  #chance(probability: number): boolean {
    return this.#world.random() < probability;
  }

  #below(count: number): number {
    return Math.floor(this.#world.random() * count);
  }

  #delay(): number {
    return this.#world.random() * this.#world.faults.maxDelayMs;
  }
}
