import { setTimeout as wait } from 'node:timers/promises';
import type { Instant } from '../domain/time.ts';

/** Longest time that a wait goes on without looking at the clock, which may be set meanwhile. */
const LOOK_MS = 500;

/** Waits until `now` has reached an instant, `wake` is aborted, or half a second has passed. Never rejects. */
export async function waitUntil(at: Instant, now: () => Instant, wake: AbortSignal): Promise<void> {
  const ms = Math.min(Math.max(0, at - now()), LOOK_MS);
  await wait(ms, undefined, { signal: wake }).catch(() => undefined);
}
