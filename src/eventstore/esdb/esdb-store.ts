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
import { isStateStream, prepareAppend } from '../prepare-append.ts';
import { StoreClosed, StoreUnavailable } from '../store-errors.ts';
import { Appender } from './appender.ts';
import { disposeClient } from './dispose-client.ts';
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
const MAX_PAUSE_MS = 2_000;

/**
 * Event store on EventStoreDB 23.10 or later. A stream is named `<namespace>.<name>` on the server, and a state stream
 * `<namespace>~<name>`, so that the server filters the log by one prefix.
 *
 * The client (`@eventstore/db-client` 6.2) has no time limits for reads and subscriptions, throws errors that it does not
 * declare, and does not resume subscriptions. Therefore every wait has a deadline here, every error is converted to an error
 * of the port, and a subscription that ended is replaced by one that starts after the last event.
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

  /**
   * @param connection an `esdb://` or `esdb+discover://` connection string.
   * @throws an error of the client if the connection string is not valid.
   */
  constructor(connection: string, options: EsdbOptions) {
    this.#options = options;
    this.#connection = connection;
    this.#timings = options.timings ?? TIMINGS;
    this.#appender = new Appender(connection, this.#timings.appendMs, (error) =>
      error === undefined ? this.#markReachable() : this.#markUnreachable(error),
    );
    this.#reader = EventStoreDBClient.connectionString(connection);
    this.#index = new LogIndex(this, (error) =>
      options.log.warn({ why: describe(error) }, 'cannot store a mark of the log index'),
    );
  }

  append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    // Not an async function, so that appends reach the server in the order of the calls.
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
    // The client emits an error for a stream that does not exist. Without a listener it would end the process.
    read.on('error', () => undefined);
    const { readMs } = this.#timings;
    const iterator = read[Symbol.asyncIterator]();
    let hasEnded = false;
    try {
      for (;;) {
        const late = () => new StoreUnavailable(`the server sent no event within ${readMs} ms`);
        const { done, value } = await withDeadline(
          iterator.next() as Promise<IteratorResult<ResolvedEvent>>,
          readMs,
          late,
        );
        if (done === true) {
          hasEnded = true;
          this.#markReachable();
          return;
        }
        if (value.event !== undefined) yield this.#recorded(value.event);
      }
    } catch (error) {
      if (error instanceof StreamNotFoundError) {
        hasEnded = true;
        this.#markReachable();
        return;
      }
      throw this.#readFailure(error);
    } finally {
      if (!hasEnded) void read.cancel().catch(() => undefined);
    }
  }

  #readFailure(error: unknown): StoreUnavailable {
    this.#markUnreachable(error);
    if (!recoversByItself(error)) this.#replaceReader();
    return error instanceof StoreUnavailable
      ? error
      : new StoreUnavailable(describe(error), { cause: error });
  }

  #replaceReader(): void {
    const former = this.#reader;
    this.#reader = EventStoreDBClient.connectionString(this.#connection);
    void disposeClient(former);
  }

  async *readAll(after: number): AsyncGenerator<readonly LogEvent[]> {
    this.#checkOpen();
    const stop = new AbortController();
    try {
      for await (const { events, caughtUp } of this.#numbered(after, stop.signal, false)) {
        if (events.length > 0) yield events;
        if (caughtUp) return;
      }
    } finally {
      stop.abort();
    }
  }

  async *follow(after: number, signal: AbortSignal): AsyncGenerator<Batch> {
    this.#checkOpen();
    yield* this.#numbered(after, AbortSignal.any([signal, this.#closing.signal]), true);
  }

  /** Reads the log after a number, counting from the nearest mark. */
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
    for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
      try {
        return await this.#index.markFor(number);
      } catch (error) {
        if (!resumes) throw error;
        await wait(pause, undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }

  /** Subscribes to all events of the namespace after a position. If `resumes`, it subscribes again whenever the subscription ends. */
  async *#subscribed(start: Position | undefined, signal: AbortSignal, resumes: boolean) {
    let last = start;
    for (let pause = FIRST_PAUSE_MS; !signal.aborted; ) {
      const confirmed = () => {
        pause = FIRST_PAUSE_MS;
        this.#markReachable();
      };
      try {
        const prefix = `${this.#options.namespace}.`;
        const from = last ?? START;
        for await (const batch of subscribeOnce(
          this.#reader,
          prefix,
          from,
          this.#timings,
          signal,
          confirmed,
        )) {
          last = lastPosition(batch.events) ?? last;
          yield batch;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Silent) continue;
        if (!resumes) throw this.#readFailure(error);
        this.#readFailure(error);
        this.#options.log.info({ why: describe(error) }, 'the subscription ended; subscribing again');
        await wait(pause * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
        pause = Math.min(2 * pause, MAX_PAUSE_MS);
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
    if (!isStateStream(stream))
      throw new RangeError(`${stream} is not a state stream: events of the log are never deleted`);
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
    await withDeadline(disposeClient(this.#reader), 1_000, () => new Error('late')).catch(() => undefined);
  }

  #markReachable(): void {
    this.#unreachableSince = undefined;
    this.#detail = undefined;
  }

  #markUnreachable(error: unknown): void {
    this.#unreachableSince ??= this.#options.now();
    this.#detail = describe(error);
  }

  #streamName(stream: string): string {
    const { namespace } = this.#options;
    return isStateStream(stream) ? `${namespace}${stream}` : `${namespace}.${stream}`;
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
      // Events of the ledger have a time of recording. For events of other applications the time of the server is used.
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
