import type { Logger } from '../../util/logger.ts';
import { appendEach } from '../append-each.ts';
import type {
  Append,
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
import { connectionSettings, requireFiles } from './connection-settings.ts';
import { describe } from './error-mapping.ts';
import { LogGaps } from './log-gaps.ts';
import { LogIndex } from './log-index.ts';
import { NumberedLog } from './numbered-log.ts';
import { Reachability } from './reachability.ts';
import { Reader } from './reader.ts';
import { SeenPosition } from './seen-position.ts';
import { ServerEvents } from './server-events.ts';
import { TIMINGS, type Timings } from './timings.ts';
import { tlsMismatch } from './tls-mismatch.ts';

export interface EsdbOptions {
  /** Prefix of every stream, so that several ledgers and other applications share one server. */
  readonly namespace: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly timings?: Timings;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Minimum size of a part of the server's log without events of the namespace that is skipped later. Default 64 MiB. */
  readonly minGapBytes?: number;
}

/** A stream that never exists. */
const PROBE_STREAM = '~probe';

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
  /** The server has what it acknowledged. */
  readonly loss = undefined;
  readonly #events: ServerEvents;
  readonly #reachability: Reachability;
  readonly #appender: Appender;
  readonly #reader: Reader;
  readonly #index: LogIndex;
  readonly #numbered: NumberedLog;
  readonly #closing = new AbortController();

  /**
   * @param connection an `esdb://` or `esdb+discover://` connection string.
   * @throws ConnectionFileError if a file that it names cannot be used; an error of the client if it is not valid.
   */
  constructor(connection: string, options: EsdbOptions) {
    const { namespace, now, log, timings = TIMINGS, minGapBytes = MIN_GAP_BYTES } = options;
    requireFiles(connection);
    const settings = connectionSettings(connection);
    this.#events = new ServerEvents(namespace);
    this.#reachability = new Reachability({
      access: { user: settings.user, namespace },
      now,
      outageMs: timings.outageMs,
      log,
      signal: this.#closing.signal,
      diagnose: () => tlsMismatch(settings),
      probes: {
        append: () => this.#appender.probe(this.#events.streamName(PROBE_STREAM)),
        read: () => this.#reader.probeStream(this.#events.streamName(PROBE_STREAM)),
        follow: () => this.#reader.probeLog(),
      },
    });
    const seen = new SeenPosition(timings);
    this.#reader = new Reader(connection, timings, this.#reachability, seen);
    this.#appender = new Appender(
      connection,
      timings.appendMs,
      this.#reachability,
      () => this.#requireLogReadable(),
      seen,
    );
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
      reachability: this.#reachability,
      seen,
    });
  }

  append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    // Not an async function, so that appends reach the server in the order of the calls.
    try {
      this.#checkOpen();
      prepareAppend(stream, events);
      this.#reachability.require('append');
      return this.#appender.append(
        this.#events.streamName(stream),
        events.map((event) => this.#events.toEventData(event)),
        expected === 'absent' ? 'no_stream' : BigInt(expected),
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  appendAll(appends: readonly Append[]): Promise<PromiseSettledResult<number>[]> {
    return appendEach(this, appends);
  }

  async *readStream(stream: string, options: ReadOptions = {}): AsyncGenerator<RecordedEvent> {
    this.#checkOpen();
    this.#reachability.require('read');
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
    this.#reachability.require('follow');
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

  async stateStreams(): Promise<readonly string[]> {
    this.#checkOpen();
    this.#reachability.require('follow');
    return this.#numbered.stateStreams();
  }

  signed(): void {
    // The server keeps its own witnesses.
  }

  health(): StoreHealth {
    return this.#reachability.health();
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#appender.close();
    await this.#reader.close();
  }

  /** A fact must not be accepted if the ledger could never see it. @throws StoreRefused, StoreUnavailable */
  async #requireLogReadable(): Promise<void> {
    try {
      await this.#reader.requireLogReadable();
    } catch (error) {
      this.#reachability.require('append');
      throw error;
    }
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new StoreClosed('the store is closed');
  }
}
