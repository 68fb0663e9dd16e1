import type { Logger } from '../../util/logger.ts';
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
import { isStateStream, prepareAppend } from '../prepare-append.ts';
import { StoreClosed } from '../store-errors.ts';
import { Appender } from './appender.ts';
import { describe } from './error-mapping.ts';
import { LogGaps } from './log-gaps.ts';
import { LogIndex } from './log-index.ts';
import { NumberedLog } from './numbered-log.ts';
import { Reader } from './reader.ts';
import { ServerEvents } from './server-events.ts';
import { TIMINGS, type Timings } from './timings.ts';

export interface EsdbOptions {
  /** Prefix of every stream, so that several ledgers and other applications share one server. */
  readonly namespace: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly timings?: Timings;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** Minimum size of a part of the server's log without events of the namespace that is skipped later. Default 64 MiB. */
  readonly minGapBytes?: number;
}

const MIN_GAP_BYTES = 64 * 1_024 * 1_024;

/**
 * Event store on EventStoreDB 23.10 or later.
 *
 * The client (`@eventstore/db-client` 6.2) has no time limits for reads and subscriptions, throws errors that it does not
 * declare, ends reads early without an error, and does not resume subscriptions. Therefore every wait has a deadline here, every
 * error is converted to an error of the port, a read is complete only if the server says so, and a subscription that ended is
 * replaced by one that starts after the last event.
 */
export class EsdbStore implements EventStore {
  readonly isSoleWriter = false;
  readonly #options: EsdbOptions;
  readonly #events: ServerEvents;
  readonly #appender: Appender;
  readonly #reader: Reader;
  readonly #index: LogIndex;
  readonly #numbered: NumberedLog;
  readonly #closing = new AbortController();
  #unreachableSince: number | undefined;
  #detail: string | undefined;

  /**
   * @param connection an `esdb://` or `esdb+discover://` connection string.
   * @throws an error of the client if the connection string is not valid.
   */
  constructor(connection: string, options: EsdbOptions) {
    const { namespace, now, log, timings = TIMINGS, minGapBytes = MIN_GAP_BYTES } = options;
    this.#options = options;
    this.#events = new ServerEvents(namespace);
    const onResult = (error: unknown) =>
      error === undefined ? this.#markReachable() : this.#markUnreachable(error);
    this.#appender = new Appender(connection, timings.appendMs, onResult);
    this.#reader = new Reader(connection, timings, onResult);
    this.#index = new LogIndex(this, {
      signal: this.#closing.signal,
      onFailed: (error) => log.warn({ why: describe(error) }, 'cannot store a mark of the log index'),
    });
    const gaps = new LogGaps(this, {
      minBytes: BigInt(minGapBytes),
      now,
      onFailed: (error) => log.info({ why: describe(error) }, 'cannot store a gap of the log'),
    });
    this.#numbered = new NumberedLog({
      reader: this.#reader,
      index: this.#index,
      gaps,
      events: this.#events,
      timings,
      log,
      onResult,
    });
  }

  append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    // Not an async function, so that appends reach the server in the order of the calls.
    try {
      this.#checkOpen();
      prepareAppend(stream, events);
      return this.#appender.append(
        this.#events.streamName(stream),
        events.map((event) => this.#events.toEventData(event)),
        expected === 'absent' ? 'no_stream' : BigInt(expected),
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async *readStream(stream: string, options: ReadOptions = {}): AsyncGenerator<RecordedEvent> {
    this.#checkOpen();
    const { from, direction = 'forwards', limit } = options;
    if (limit === 0 || (from !== undefined && from < 0)) return;
    const end = direction === 'backwards' ? 'end' : 'start';
    const read = this.#reader.readStream(this.#events.streamName(stream), {
      fromRevision: from === undefined ? end : BigInt(from),
      direction,
      ...(limit !== undefined && { maxCount: limit }),
    });
    for await (const { event } of read) if (event !== undefined) yield this.#events.toRecordedEvent(event);
  }

  async *readAll(after: number): AsyncGenerator<readonly LogEvent[]> {
    this.#checkOpen();
    yield* this.#numbered.read(after);
  }

  async *follow(after: number, signal: AbortSignal): AsyncGenerator<Batch> {
    this.#checkOpen();
    yield* this.#numbered.follow(after, AbortSignal.any([signal, this.#closing.signal]));
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
    await this.#appender.setMaxCount(this.#events.streamName(stream), count);
  }

  health(): StoreHealth {
    const unreachableSince = this.#unreachableSince;
    return { reachable: unreachableSince === undefined, unreachableSince, detail: this.#detail };
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#appender.close();
    await this.#reader.close();
  }

  #markReachable(): void {
    this.#unreachableSince = undefined;
    this.#detail = undefined;
  }

  #markUnreachable(error: unknown): void {
    this.#unreachableSince ??= this.#options.now();
    this.#detail = describe(error);
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new StoreClosed('the store is closed');
  }
}
