import { setTimeout as wait } from 'node:timers/promises';
import {
  type AllStreamResolvedEvent,
  type EventData,
  EventStoreDBClient,
  type JSONType,
  jsonEvent,
  type Position,
  type ResolvedEvent,
  START,
  StreamNotFoundError,
} from '@eventstore/db-client';
import type { Logger } from '../../util/logger.ts';
import { withDeadline } from '../../util/with-deadline.ts';
import type {
  Batch,
  EventStore,
  Expected,
  LogEvent,
  NewEvent,
  ReadOptions,
  RecordedEvent,
  StoreHealth,
} from '../event-store.ts';
import type { JsonObject } from '../json.ts';
import { isState, prepareAppend } from '../prepare-append.ts';
import { StoreClosed, StoreUnavailable } from '../store-errors.ts';
import { Appender } from './appender.ts';
import { discard } from './dispose-client.ts';
import { describe, recoversByItself } from './error-mapping.ts';
import { LogIndex } from './log-index.ts';
import { Silent, subscribeOnce } from './subscription.ts';
import { TIMINGS, type Timings } from './timings.ts';

export interface EsdbOptions {
  /** Prefix of every stream, so that several ledgers and other applications share one server. */
  readonly namespace: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly timings?: Timings;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/**
 * The log on EventStoreDB 23.10 or later. A stream is called `<namespace>.<name>`, a state stream `<namespace>~<name>`, so
 * that the server itself filters the log by one prefix. The client waits for ever where the server is silent, fails in
 * undeclared ways and does not resume: every wait here has an end, every error is one of the port's, and a subscription
 * that ended, however it did, is taken up behind the last event.
 */
export class EsdbStore implements EventStore {
  readonly isSoleWriter = false;
  readonly #options: EsdbOptions;
  readonly #connection: string;
  readonly #timings: Timings;
  readonly #appender: Appender;
  #reader: EventStoreDBClient;
  readonly #index: LogIndex;
  readonly #closing = new AbortController();
  #unreachableSince: number | undefined;
  #detail: string | undefined;

  /** @param connection an `esdb://` or `esdb+discover://` connection string. @throws what the client says of a wrong one. */
  constructor(connection: string, options: EsdbOptions) {
    this.#options = options;
    this.#connection = connection;
    this.#timings = options.timings ?? TIMINGS;
    const told = (error: unknown) => (error === undefined ? this.#reached() : this.#missed(error));
    this.#appender = new Appender(connection, this.#timings.appendMs, told);
    this.#reader = EventStoreDBClient.connectionString(connection);
    this.#index = new LogIndex(this, (error) =>
      options.log.warn({ why: describe(error) }, 'the log index was not kept'),
    );
  }

  append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    // Not an async function: appends reach the server in the order of the calls.
    try {
      this.#checkOpen();
      prepareAppend(stream, events);
      return this.#appender.append(
        this.#streamName(stream),
        events.map(toEventData),
        expected === 'absent' ? 'no_stream' : BigInt(expected),
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async *readStream(stream: string, options: ReadOptions = {}): AsyncGenerator<RecordedEvent> {
    this.#checkOpen();
    const backwards = options.direction === 'backwards';
    if (options.limit === 0 || (options.from !== undefined && options.from < 0)) return;
    const from = options.from === undefined ? (backwards ? 'end' : 'start') : BigInt(options.from);
    const read = this.#reader.readStream(
      this.#streamName(stream),
      {
        fromRevision: from,
        direction: backwards ? 'backwards' : 'forwards',
        ...(options.limit !== undefined && { maxCount: options.limit }),
      },
      { highWaterMark: 256 },
    );
    // Without a listener the error of a stream that does not exist would end the process.
    read.on('error', () => undefined);
    const { readMs } = this.#timings;
    const iterator = read[Symbol.asyncIterator]();
    let isOver = false;
    try {
      for (;;) {
        const late = () => new StoreUnavailable(`nothing was read within ${readMs} ms`);
        const { done, value } = await withDeadline(
          iterator.next() as Promise<IteratorResult<ResolvedEvent>>,
          readMs,
          late,
        );
        if (done === true) {
          isOver = true;
          this.#reached();
          return;
        }
        if (value.event !== undefined) yield this.#recorded(value.event);
      }
    } catch (error) {
      if (error instanceof StreamNotFoundError) {
        isOver = true;
        this.#reached();
        return;
      }
      throw this.#readFailure(error);
    } finally {
      if (!isOver) void read.cancel().catch(() => undefined);
    }
  }

  #readFailure(error: unknown): StoreUnavailable {
    this.#missed(error);
    if (!recoversByItself(error)) this.#replaceReader();
    return error instanceof StoreUnavailable
      ? error
      : new StoreUnavailable(describe(error), { cause: error });
  }

  #replaceReader(): void {
    const former = this.#reader;
    this.#reader = EventStoreDBClient.connectionString(this.#connection);
    void discard(former);
  }

  async *readAll(after: number): AsyncGenerator<readonly LogEvent[]> {
    this.#checkOpen();
    const given = new AbortController();
    try {
      for await (const { events, caughtUp } of this.#numbered(after, given.signal, false)) {
        if (events.length > 0) yield events;
        if (caughtUp) return;
      }
    } finally {
      given.abort();
    }
  }

  async *follow(after: number, signal: AbortSignal): AsyncGenerator<Batch> {
    this.#checkOpen();
    yield* this.#numbered(after, AbortSignal.any([signal, this.#closing.signal]), true);
  }

  /** The log behind a number, counted from the nearest mark. */
  async *#numbered(after: number, signal: AbortSignal, resumes: boolean): AsyncGenerator<Batch> {
    const mark = await this.#markFor(after, signal, resumes);
    if (mark === undefined) return;
    let { number } = mark;
    for await (const { events, caughtUp } of this.#subscribed(mark.at, signal, resumes)) {
      const wanted: LogEvent[] = [];
      for (const { event } of events) {
        if (event === undefined) continue;
        number++;
        this.#index.note(number, event.position);
        if (number > after) wanted.push({ ...this.#recorded(event), position: number });
      }
      yield { events: wanted, caughtUp };
    }
  }

  async #markFor(number: number, signal: AbortSignal, resumes: boolean) {
    for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        return await this.#index.markFor(number);
      } catch (error) {
        if (!resumes) throw error;
        await wait(pause, undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }

  /** All events of the namespace behind a position; taken up again after every end if `resumes`. */
  async *#subscribed(start: Position | undefined, signal: AbortSignal, resumes: boolean) {
    let behind = start;
    for (let pause = FIRST_PAUSE_MS; !signal.aborted; ) {
      const confirmed = () => {
        pause = FIRST_PAUSE_MS;
        this.#reached();
      };
      try {
        const prefix = `${this.#options.namespace}.`;
        const from = behind ?? START;
        for await (const batch of subscribeOnce(
          this.#reader,
          prefix,
          from,
          this.#timings,
          signal,
          confirmed,
        )) {
          behind = lastPosition(batch.events) ?? behind;
          yield batch;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Silent) continue;
        if (!resumes) throw this.#readFailure(error);
        this.#readFailure(error);
        this.#options.log.info({ why: describe(error) }, 'the subscription ended and is taken up again');
        await wait(pause * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
        pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
      }
    }
  }

  async head(): Promise<number> {
    let { last } = this.#index;
    for await (const events of this.readAll(last)) last = events.at(-1)?.position ?? last;
    return last;
  }

  async keepLast(stream: string, count: number): Promise<void> {
    this.#checkOpen();
    if (!isState(stream)) throw new RangeError(`${stream} is no state stream: the log forgets nothing`);
    await this.#appender.setMaxCount(this.#streamName(stream), count);
  }

  health(): StoreHealth {
    const unreachableSince = this.#unreachableSince;
    return { reachable: unreachableSince === undefined, unreachableSince, detail: this.#detail };
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#appender.close();
    await withDeadline(discard(this.#reader), 1_000, () => new Error('late')).catch(() => undefined);
  }

  #reached(): void {
    this.#unreachableSince = undefined;
    this.#detail = undefined;
  }

  #missed(error: unknown): void {
    this.#unreachableSince ??= this.#options.now();
    this.#detail = describe(error);
  }

  #streamName(stream: string): string {
    const { namespace } = this.#options;
    return isState(stream) ? `${namespace}${stream}` : `${namespace}.${stream}`;
  }

  #recorded(event: NonNullable<ResolvedEvent['event']>): RecordedEvent {
    const { recordedAt, ...metadata } = (event.metadata ?? {}) as JsonObject;
    const name = event.streamId.slice(this.#options.namespace.length);
    return {
      id: event.id,
      stream: name.startsWith('.') ? name.slice(1) : name,
      revision: Number(event.revision),
      type: event.type,
      data: event.data as unknown as JsonObject,
      metadata,
      // Ours always carry it; what somebody else wrote into our streams has the server's time.
      recordedAt: typeof recordedAt === 'number' ? recordedAt : event.created.getTime(),
    };
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new StoreClosed('the store is closed');
  }
}

function toEventData({ id, type, data, metadata, recordedAt }: NewEvent): EventData {
  return jsonEvent({ id, type, data: data as JSONType, metadata: { ...metadata, recordedAt } as JSONType });
}

function lastPosition(events: readonly AllStreamResolvedEvent[]): Position | undefined {
  return events.findLast(({ event }) => event !== undefined)?.event?.position;
}
