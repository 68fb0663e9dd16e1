import { setTimeout as wait } from 'node:timers/promises';
import { type AllStreamResolvedEvent, type Position, START } from '@eventstore/db-client';
import type { Logger } from '../../util/logger.ts';
import type { Batch, LogEvent } from '../event-store.ts';
import { StoreUnavailable } from '../store-errors.ts';
import { describe } from './error-mapping.ts';
import type { LogIndex } from './log-index.ts';
import type { OnResult, Reader } from './reader.ts';
import type { ServerEvents } from './server-events.ts';
import { type SubscriptionBatch, subscribeOnce } from './subscription.ts';
import type { Timings } from './timings.ts';

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;

interface Parts {
  readonly reader: Reader;
  readonly index: LogIndex;
  readonly events: ServerEvents;
  readonly timings: Timings;
  readonly log: Pick<Logger, 'info'>;
  readonly onResult: OnResult;
}

/** The events of a namespace, numbered from 1 in the order of the server's log. */
export class NumberedLog {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Reads the log after a number, up to its end. @throws StoreUnavailable */
  async *read(after: number): AsyncGenerator<readonly LogEvent[]> {
    const { index } = this.#parts;
    const { signal } = new AbortController();
    const { number, at } = await index.markFor(after);
    for await (const { events, caughtUp } of this.#numbered(this.#subscribed(at, signal), number, after)) {
      if (events.length > 0) yield events;
      if (caughtUp) return;
    }
    throw new StoreUnavailable('the server was silent before the end of the log');
  }

  /** Reads the log after a number, then waits for new events, until `signal` is aborted. It survives every failure of the server. */
  async *follow(after: number, signal: AbortSignal): AsyncGenerator<Batch> {
    const mark = await this.#markWhenReachable(after, signal);
    if (mark === undefined) return;
    yield* this.#numbered(this.#resubscribing(mark.at, signal), mark.number, after);
  }

  async *#numbered(
    batches: AsyncIterable<SubscriptionBatch>,
    first: number,
    after: number,
  ): AsyncGenerator<Batch> {
    const { index, events: converter } = this.#parts;
    let number = first;
    for await (const { events, caughtUp } of batches) {
      const wanted: LogEvent[] = [];
      for (const { event } of events) {
        if (event === undefined) continue;
        number++;
        index.note(number, event.position);
        if (number > after) wanted.push({ ...converter.toRecordedEvent(event), position: number });
      }
      yield { events: wanted, caughtUp };
    }
  }

  async #markWhenReachable(number: number, signal: AbortSignal) {
    for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = nextPause(pause)) {
      try {
        return await this.#parts.index.markFor(number);
      } catch {
        await wait(pause, undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }

  /** Subscribes to all events of the namespace after a position, and again whenever the subscription ends. */
  async *#resubscribing(start: Position | undefined, signal: AbortSignal): AsyncGenerator<SubscriptionBatch> {
    let last = start;
    for (let pause = FIRST_PAUSE_MS; !signal.aborted; ) {
      const confirmed = () => {
        pause = FIRST_PAUSE_MS;
      };
      try {
        for await (const batch of this.#subscribed(last, signal, confirmed)) {
          last = lastPosition(batch.events) ?? last;
          yield batch;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#parts.log.info({ why: describe(error) }, 'the subscription ended; subscribing again');
        await wait(pause * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
        pause = nextPause(pause);
      }
    }
  }

  #subscribed(
    from: Position | undefined,
    signal: AbortSignal,
    confirmed: () => void = () => undefined,
  ): AsyncGenerator<SubscriptionBatch> {
    const { reader, events, timings, onResult } = this.#parts;
    const reached = () => {
      onResult(undefined);
      confirmed();
    };
    return reader.use((client) =>
      subscribeOnce(client, events.prefix, from ?? START, timings, signal, reached),
    );
  }
}

function nextPause(pause: number): number {
  return Math.min(2 * pause, MAX_PAUSE_MS);
}

function lastPosition(events: readonly AllStreamResolvedEvent[]): Position | undefined {
  return events.findLast(({ event }) => event !== undefined)?.event?.position;
}
