import { setTimeout as wait } from 'node:timers/promises';
import {
  type AllStreamResolvedEvent,
  type EventStoreDBClient,
  type Position,
  START,
} from '@eventstore/db-client';
import type { Logger } from '../../util/logger.ts';
import type { Batch, LogEvent } from '../event-store.ts';
import { StoreUnavailable } from '../store-errors.ts';
import { channelOf } from './client-channel.ts';
import { endOfServerLog } from './end-of-server-log.ts';
import { describe } from './error-mapping.ts';
import type { LogGaps } from './log-gaps.ts';
import type { LogIndex } from './log-index.ts';
import type { Reachability } from './reachability.ts';
import type { Reader } from './reader.ts';
import { requireNotBehind, type SeenPosition } from './seen-position.ts';
import type { ServerEvents } from './server-events.ts';
import { type SubscriptionOptions, subscribeOnce } from './subscription.ts';
import type { Timings } from './timings.ts';

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;

interface Parts {
  readonly reader: Reader;
  readonly index: LogIndex;
  readonly gaps: LogGaps;
  readonly events: ServerEvents;
  readonly timings: Timings;
  readonly log: Pick<Logger, 'info'>;
  readonly reachability: Reachability;
  readonly seen: SeenPosition;
}

/** How far a reader of the log has come. */
interface Cursor {
  /** Number of the last event that was read; 0 before the first. */
  number: number;
  /** Server position up to which everything was read; `undefined` for the beginning. */
  at: Position | undefined;
  /** Whether the reader is at a gap, so that it has to continue at the end of the gap. */
  isAtGap: boolean;
}

/** The events of a namespace, numbered from 1 in the order of the server's log. */
export class NumberedLog {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Reads the log after a number, up to its end. @throws StoreUnavailable */
  async *read(after: number): AsyncGenerator<readonly LogEvent[]> {
    const { signal } = new AbortController();
    const cursor = await this.#cursorFor(after);
    do {
      for await (const { events, caughtUp } of this.#subscribed(cursor, after, signal)) {
        if (events.length > 0) yield events;
        if (caughtUp) return;
      }
    } while (cursor.isAtGap);
    throw new StoreUnavailable('the server was silent before the end of the log');
  }

  /** Reads the log after a number, then waits for new events, until `signal` is aborted. It survives every failure of the server. */
  async *follow(after: number, signal: AbortSignal): AsyncGenerator<Batch> {
    let cursor: Cursor | undefined;
    const ended = this.#parts.reachability.followerBegins();
    try {
      for (let pause = FIRST_PAUSE_MS; !signal.aborted; ) {
        const confirmed = () => {
          pause = FIRST_PAUSE_MS;
        };
        try {
          cursor ??= await this.#cursorFor(after);
          yield* this.#subscribed(cursor, after, signal, confirmed);
        } catch (error) {
          if (signal.aborted) return;
          this.#parts.reachability.resubscribed();
          if (pause === FIRST_PAUSE_MS)
            this.#parts.log.info({ why: describe(error) }, 'the subscription ended; subscribing again');
          await wait(pause * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
          pause = Math.min(2 * pause, MAX_PAUSE_MS);
        }
      }
    } finally {
      ended();
    }
  }

  /** Returns the names of the state streams, by going through the whole log of the server. @throws StoreUnavailable */
  async stateStreams(): Promise<string[]> {
    const { reader, events: converter, timings } = this.#parts;
    const names = new Set<string>();
    const options: SubscriptionOptions = {
      prefix: converter.statePrefix,
      from: START,
      isFar: () => false,
      confirmed: () => undefined,
    };
    const { signal } = new AbortController();
    const batches = reader.use('follow', (client) => subscribeOnce(client, options, timings, signal));
    for await (const { events, caughtUp } of batches) {
      for (const { event } of events)
        if (event !== undefined) names.add(converter.toRecordedEvent(event).stream);
      if (caughtUp) return [...names].sort();
    }
    throw new StoreUnavailable('the server was silent before the end of the log');
  }

  async #cursorFor(after: number): Promise<Cursor> {
    const { index, gaps } = this.#parts;
    await gaps.load();
    return { ...(await index.markFor(after)), isAtGap: false };
  }

  /**
   * Subscribes once to the events of the namespace after a cursor, and moves the cursor. Ends without an error if `signal` is
   * aborted, if the server is silent, at a large gap, and when many events of other applications were written since the last
   * event: the next subscription then begins behind them.
   * @throws StoreUnavailable
   */
  #subscribed(
    cursor: Cursor,
    after: number,
    signal: AbortSignal,
    confirmed: () => void = () => undefined,
  ): AsyncGenerator<Batch> {
    return this.#parts.reader.use('follow', (client) =>
      this.#subscribe(client, cursor, after, signal, confirmed),
    );
  }

  async *#subscribe(
    client: EventStoreDBClient,
    cursor: Cursor,
    after: number,
    signal: AbortSignal,
    confirmed: () => void,
  ): AsyncGenerator<Batch> {
    const { gaps, events: converter, timings, reachability, seen } = this.#parts;
    cursor.isAtGap = false;
    cursor.at = later(cursor.at, gaps.endAfter(cursor.number));
    // A mark or a gap can be ahead of what this process has read.
    if (cursor.at !== undefined) seen.note(cursor.at.commit);
    const { commit } = seen;
    const channel = await channelOf(client);
    const end = await endOfServerLog(client, timings);
    requireNotBehind(end?.commit ?? -1n, commit);
    const options: SubscriptionOptions = {
      prefix: converter.prefix,
      from: cursor.at ?? START,
      isFar: (position) => gaps.isLarge(cursor.at, position),
      confirmed: () => {
        reachability.succeeded('follow');
        confirmed();
      },
    };
    for await (const { events, caughtUp } of subscribeOnce(client, options, timings, signal)) {
      const wanted = this.#number(events, cursor, after);
      if (caughtUp && !cursor.isAtGap && (await channelOf(client)) === channel) this.#noteGap(cursor, end);
      yield { events: wanted, caughtUp: caughtUp && !cursor.isAtGap };
      if (cursor.isAtGap) return;
    }
  }

  /** Numbers events and moves the cursor behind them, until it comes to a large gap. @returns the events after number `after`. */
  #number(events: readonly AllStreamResolvedEvent[], cursor: Cursor, after: number): LogEvent[] {
    const { index, gaps, events: converter, seen } = this.#parts;
    const wanted: LogEvent[] = [];
    for (const { event } of events) {
      if (event === undefined) continue;
      cursor.number++;
      cursor.at = event.position;
      index.note(cursor.number, event.position);
      seen.note(event.position.commit);
      if (cursor.number > after)
        wanted.push({ ...converter.toRecordedEvent(event), position: cursor.number });
      const gapEnd = gaps.endAfter(cursor.number);
      cursor.isAtGap = gapEnd !== undefined && gaps.isLarge(event.position, gapEnd);
      if (cursor.isAtGap) break;
    }
    return wanted;
  }

  /**
   * A subscription that has caught up has delivered everything up to the end that the server's log had before the subscription
   * began, if it was the same node: another node may lag behind.
   */
  #noteGap(cursor: Cursor, end: Position | undefined): void {
    if (end === undefined || end.commit <= (cursor.at?.commit ?? -1n)) return;
    this.#parts.gaps.note(cursor.number, cursor.at, end);
    cursor.at = end;
  }
}

function later(a: Position | undefined, b: Position | undefined): Position | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b.commit > a.commit ? b : a;
}
