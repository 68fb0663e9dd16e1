import { setTimeout as wait } from 'node:timers/promises';
import { StoreUnavailable } from '../eventstore/errors.ts';
import type { EventStore, Expected, NewEvent } from '../eventstore/event-store.ts';
import { OutcomeUnknown } from './errors.ts';

/** How long a write is tried before its outcome is called unknown. */
export const WRITE_DEADLINE_MS = 8_500;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 500;

/** The moment, on the clock of `performance.now()`, at which a write that begins now is given up. */
export function writeDeadline(): number {
  return performance.now() + WRITE_DEADLINE_MS;
}

/**
 * Appends, and where the outcome is unknown repeats the same ids with the same expectation until the store has answered.
 * The first attempt is issued before this returns, so the order of calls is the order of appends.
 * @throws OutcomeUnknown at the deadline. @throws VersionConflict, StoreFull, StoreFailed, InvalidAppend as the store does.
 */
export async function appendPatiently(
  store: EventStore,
  stream: string,
  events: readonly NewEvent[],
  expected: Expected,
  deadline: number,
): Promise<number> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      const attempt = store.append(stream, events, expected);
      return await beforeDeadline(attempt, deadline);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      if (performance.now() + pause >= deadline) {
        throw new OutcomeUnknown('the store did not acknowledge in time', { cause: error });
      }
      await wait(pause);
    }
  }
}

async function beforeDeadline<T>(attempt: Promise<T>, deadline: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    const ms = Math.max(0, deadline - performance.now());
    timer = setTimeout(() => reject(new OutcomeUnknown('the store did not acknowledge in time')), ms);
  });
  try {
    return await Promise.race([attempt, expired]);
  } finally {
    clearTimeout(timer);
  }
}
