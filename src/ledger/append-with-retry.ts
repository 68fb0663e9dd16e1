import { setTimeout as wait } from 'node:timers/promises';
import type { Append, EventStore } from '../eventstore/event-store.ts';
import {
  StoreBusy,
  StoreFailed,
  StoreRefused,
  StoreUnavailable,
  VersionConflict,
} from '../eventstore/store-errors.ts';
import type { Revision } from '../util/log-numbers.ts';
import { OutcomeUnknown } from './ledger-errors.ts';

/** Maximum duration of a write. A request must be answered within 10 s. */
const WRITE_TIMEOUT_MS = 8_500;
const FIRST_PAUSE_MS = 25;
const MAX_PAUSE_MS = 500;

/** A moment on the monotonic clock of `performance.now()`. */
export type Deadline = number;

/** Returns the deadline of a write that begins now. */
export function writeDeadline(): Deadline {
  return performance.now() + WRITE_TIMEOUT_MS;
}

/**
 * Makes attempts until one succeeds or the deadline is reached, with exponential backoff. The first attempt is made
 * synchronously, so the order of calls is the order of first attempts.
 * @throws StoreUnavailable if the store is still unavailable at the deadline; StoreRefused, StoreBusy and any other error at once.
 */
export async function retryUntil<T>(attempt: () => Promise<T>, deadline: Deadline): Promise<T> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      // A store that is busy has already waited.
      const isSettled = error instanceof StoreRefused || error instanceof StoreBusy;
      const isWorthwhile = error instanceof StoreUnavailable && !isSettled;
      if (!isWorthwhile || performance.now() + pause >= deadline) throw error;
      await wait(pause);
    }
  }
}

/**
 * Appends events. While the outcome is unknown, it repeats the append with the same ids and the same expected revision, which
 * is safe (see `EventStore.append`).
 * @param first the result of the first attempt, if it was made already.
 * @throws OutcomeUnknown at the deadline, and if the store refuses a repeat of an append whose outcome is unknown.
 * @throws StoreBusy, StoreRefused, StoreFull, InvalidAppend if the store refused the first attempt: nothing was written.
 * @throws VersionConflict, StoreFailed as the store does.
 */
export async function appendWithRetry(
  store: EventStore,
  { stream, events, expected }: Append,
  deadline: Deadline,
  first?: Promise<Revision>,
): Promise<Revision> {
  let attempts = 0;
  const attempt = () => {
    attempts++;
    return (attempts === 1 && first) || store.append(stream, events, expected);
  };
  try {
    return await retryUntil(attempt, deadline);
  } catch (error) {
    const isSettled = error instanceof VersionConflict || error instanceof StoreFailed;
    const isUnanswered =
      error instanceof StoreUnavailable && !(error instanceof StoreRefused || error instanceof StoreBusy);
    if (isSettled || (attempts === 1 && !isUnanswered)) throw error;
    throw new OutcomeUnknown('the store did not acknowledge in time', { cause: error });
  }
}
