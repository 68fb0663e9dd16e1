import { setTimeout as wait } from 'node:timers/promises';
import type { EventStore, Expected, NewEvent } from '../eventstore/event-store.ts';
import { StoreUnavailable } from '../eventstore/store-errors.ts';
import { OutcomeUnknown } from './ledger-errors.ts';

/** How long a write is tried before it is given up: an answer has to be there within 10 s. */
const WRITE_MS = 8_500;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 500;

/** A moment on the monotonic clock of `performance.now()`. */
export type Deadline = number;

/** When a write that begins now is given up. */
export function writeDeadline(): Deadline {
  return performance.now() + WRITE_MS;
}

/**
 * Repeats what the store could not do, until it can or the deadline has come. The first attempt is made before this
 * returns, so the order of calls is the order of first attempts.
 * @throws StoreUnavailable at the deadline; everything else at once.
 */
export async function retryUntil<T>(attempt: () => Promise<T>, deadline: Deadline): Promise<T> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || performance.now() + pause >= deadline) throw error;
      await wait(pause);
    }
  }
}

/**
 * Appends, and where the outcome is unknown repeats the same ids with the same expectation until the store has answered.
 * @throws OutcomeUnknown at the deadline. @throws VersionConflict, StoreFull, StoreFailed, InvalidAppend as the store does.
 */
export async function appendWithRetry(
  store: EventStore,
  stream: string,
  events: readonly NewEvent[],
  expected: Expected,
  deadline: Deadline,
): Promise<number> {
  try {
    return await retryUntil(() => store.append(stream, events, expected), deadline);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    throw new OutcomeUnknown('the store did not acknowledge in time', { cause: error });
  }
}
