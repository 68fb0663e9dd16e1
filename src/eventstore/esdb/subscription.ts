import {
  type AllStreamResolvedEvent,
  type EventStoreDBClient,
  type ReadPosition,
  streamNameFilter,
} from '@eventstore/db-client';
import { StoreUnavailable } from '../store-errors.ts';
import type { Timings } from './timings.ts';

/** Events received and not yet taken at which the server is asked to wait. */
const MOST_BUFFERED = 4_096;
const BATCH = 1_000;

export interface SubscriptionBatch {
  readonly events: readonly AllStreamResolvedEvent[];
  /** Whether the server had no more when it was asked. */
  readonly caughtUp: boolean;
}

/** Nothing came for a while: no failure, and no proof of life either. */
export class Silent extends Error {
  override readonly name = 'Silent';
}

/**
 * One subscription to the events of all streams with a prefix, behind a position, until it ends in whatever way: the
 * server's refusal, a dropped connection, "consumer too slow", a change of leader, silence. Leaving early ends it on the
 * server too.
 * @throws Silent, StoreUnavailable or what the client throws, always; it never just ends, unless `signal` is aborted.
 */
export async function* subscribeOnce(
  client: EventStoreDBClient,
  prefix: string,
  fromPosition: ReadPosition,
  { confirmMs, silenceMs }: Timings,
  signal: AbortSignal,
  confirmed: () => void,
): AsyncGenerator<SubscriptionBatch> {
  let buffered: AllStreamResolvedEvent[] = [];
  let ended: unknown;
  let isConfirmed = false;
  let hasCaughtUp = false;
  let lastSign = performance.now();
  let wake: () => void = () => undefined;
  const sign = () => {
    lastSign = performance.now();
    wake();
  };
  const end = (error: unknown) => {
    ended ??= error;
    wake();
  };

  const filter = streamNameFilter({
    prefixes: [prefix],
    checkpointInterval: 32,
    // A sign of life; as a position it is not to be trusted (wrong in some releases).
    checkpointReached: async () => sign(),
  });
  const subscription = client.subscribeToAll({ fromPosition, filter }, { highWaterMark: 256 });
  subscription
    .on('confirmation', () => {
      isConfirmed = true;
      confirmed();
      sign();
    })
    .on('data', (event) => {
      buffered.push(event);
      if (buffered.length >= MOST_BUFFERED) subscription.pause();
      sign();
    })
    .on('caughtUp', () => {
      hasCaughtUp = true;
      sign();
    })
    .on('error', (error) => end(error))
    .on('end', () => end(new StoreUnavailable('the subscription was ended by the server')))
    .on('close', () => end(new StoreUnavailable('the subscription was closed')));
  const abort = () => end(new StoreUnavailable('given up'));
  signal.addEventListener('abort', abort, { once: true });

  try {
    while (!signal.aborted) {
      const events = buffered.splice(0, BATCH);
      if (buffered.length === 0) buffered = [];
      if (events.length > 0 || hasCaughtUp) {
        // It is said ahead of events that are still on their way to us.
        const caughtUp: boolean = hasCaughtUp && buffered.length === 0 && subscription.readableLength === 0;
        if (caughtUp) hasCaughtUp = false;
        if (events.length > 0 || caughtUp) yield { events, caughtUp };
      }
      if (buffered.length > 0) continue;
      if (ended !== undefined) throw ended;
      if (subscription.isPaused()) subscription.resume();
      const patience = (isConfirmed ? silenceMs : confirmMs) - (performance.now() - lastSign);
      if (patience <= 0) {
        throw isConfirmed
          ? new Silent('nothing came')
          : new StoreUnavailable('the subscription was not confirmed');
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, patience);
        wake = () => {
          clearTimeout(timer);
          wake = () => undefined;
          // What comes in this turn of the event loop makes one batch.
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
