import {
  type AllStreamResolvedEvent,
  type EventStoreDBClient,
  type Position,
  type ReadPosition,
  streamNameFilter,
} from '@eventstore/db-client';
import { StoreUnavailable } from '../store-errors.ts';
import type { Timings } from './timings.ts';

/** Number of buffered events at which the subscription is paused. */
const MAX_BUFFERED = 4_096;
const BATCH = 1_000;

export interface SubscriptionBatch {
  readonly events: readonly AllStreamResolvedEvent[];
  /** Whether the server had no further events when it sent the batch. */
  readonly caughtUp: boolean;
}

/**
 * Number of events that the server filters at once, and after which it reports how far it has come. With the default of 32 it
 * filters half as fast.
 */
const SEARCH_WINDOW = 1_024;

export interface SubscriptionOptions {
  /** Prefix of the names of the streams. */
  readonly prefix: string;
  /** Position after which the subscription begins. */
  readonly from: ReadPosition;
  /** Returns whether the subscription should end, since it has come that far without an event. */
  readonly isFar: (position: Position) => boolean;
  readonly confirmed: () => void;
}

/**
 * Subscribes once to the events of all streams with a prefix, after a position. A subscription ends in many ways: the server
 * rejects it, the connection drops, the consumer is too slow, the leader changes, or the server is silent. The client reports
 * some of these as `error`, some as `end` or `close`, and silence not at all. If the iteration is left early, the subscription
 * ends on the server too. It ends without an error if `signal` is aborted, if it caught up and then came far, or if the server
 * sent no message for `silenceMs`: the connection may or may not be broken then.
 * @throws StoreUnavailable, or an error of the client
 */
export async function* subscribeOnce(
  client: EventStoreDBClient,
  { prefix, from, isFar, confirmed }: SubscriptionOptions,
  { confirmMs, silenceMs }: Timings,
  signal: AbortSignal,
): AsyncGenerator<SubscriptionBatch> {
  let buffered: AllStreamResolvedEvent[] = [];
  let ended: unknown;
  let isConfirmed = false;
  let hasCaughtUp = false;
  let wasCaughtUp = false;
  let isFarNow = false;
  let lastMessageAt = performance.now();
  let wake: () => void = () => undefined;
  const received = () => {
    lastMessageAt = performance.now();
    wake();
  };
  const end = (error: unknown) => {
    ended ??= error;
    wake();
  };

  const filter = streamNameFilter({
    prefixes: [prefix],
    checkpointInterval: 1,
    maxSearchWindow: SEARCH_WINDOW,
    // Shows that the connection works, and roughly how far it has come: the position is wrong in some releases of the server.
    checkpointReached: async (_, position) => {
      isFarNow = wasCaughtUp && isFar(position);
      received();
    },
  });
  const subscription = client.subscribeToAll({ fromPosition: from, filter }, { highWaterMark: 256 });
  subscription
    .on('confirmation', () => {
      isConfirmed = true;
      confirmed();
      received();
    })
    .on('data', (event) => {
      buffered.push(event);
      if (buffered.length >= MAX_BUFFERED) subscription.pause();
      received();
    })
    .on('caughtUp', () => {
      hasCaughtUp = true;
      received();
    })
    .on('error', (error) => end(error))
    .on('end', () => end(new StoreUnavailable('the server ended the subscription')))
    .on('close', () => end(new StoreUnavailable('the subscription was closed')));
  const abort = () => wake();
  signal.addEventListener('abort', abort, { once: true });

  try {
    while (!signal.aborted) {
      const events = buffered.splice(0, BATCH);
      if (buffered.length === 0) buffered = [];
      if (events.length > 0 || hasCaughtUp) {
        // The client emits `caughtUp` before events that are still in its buffer.
        const caughtUp: boolean = hasCaughtUp && buffered.length === 0 && subscription.readableLength === 0;
        if (caughtUp) {
          hasCaughtUp = false;
          wasCaughtUp = true;
        }
        if (events.length > 0 || caughtUp) yield { events, caughtUp };
      }
      if (buffered.length > 0 || signal.aborted) continue;
      if (ended !== undefined) throw ended;
      if (isFarNow) return;
      if (subscription.isPaused()) subscription.resume();
      const remainingMs = (isConfirmed ? silenceMs : confirmMs) - (performance.now() - lastMessageAt);
      if (remainingMs <= 0) {
        if (isConfirmed) return;
        throw new StoreUnavailable(`the server did not confirm the subscription within ${confirmMs} ms`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, remainingMs);
        wake = () => {
          clearTimeout(timer);
          wake = () => undefined;
          // Events that arrive in this iteration of the event loop form one batch.
          setImmediate(resolve);
        };
      });
    }
  } finally {
    signal.removeEventListener('abort', abort);
    subscription.on('error', () => undefined);
    void subscription.unsubscribe().catch(() => undefined);
    subscription.destroy();
  }
}
