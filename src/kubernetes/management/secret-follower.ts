import { setTimeout as wait } from 'node:timers/promises';
import type { ManagementCluster } from './management-cluster.ts';
import { Expired, type Secret, type WatchEvent } from './secrets-api.ts';
import { SourceUnreadable } from './source-unreadable.ts';

/** What a follower says, in order. */
export type Step<T> =
  /** All that there is: what was known before and is not among it is gone. */
  | { readonly kind: 'listed'; readonly items: ReadonlyMap<string, T> }
  | { readonly kind: 'changed'; readonly name: string; readonly item: T }
  | { readonly kind: 'gone'; readonly name: string }
  /** It can be read again, and so far nothing was missed. */
  | { readonly kind: 'resumed' }
  /** Nothing can be said until the next step; it goes on by itself. */
  | { readonly kind: 'unreadable'; readonly why: string };

interface Options<T> {
  readonly cluster: ManagementCluster;
  readonly namespace: string;
  /** What is kept of a Secret; `undefined` where it is of no interest. */
  readonly select: (secret: Secret) => T | undefined;
  readonly signal: AbortSignal;
  /** After how long all is listed again, should anything have been missed. */
  readonly listAgainMs?: number;
  readonly firstPauseMs?: number;
}

const RELIST_MS = 10 * 60_000;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;
/** A watch that cannot be resumed so many times in a row begins with a list. */
const MAX_RESUMPTIONS = 4;
/** A watch that the server ends sooner than this has not worked. */
const MIN_WATCH_MS = 1_000;

/**
 * Follows the Secrets of a namespace for as long as it is asked to: a list, then what changes. After a broken connection
 * it resumes where it was, so that nothing in between is missed; where the server no longer knows that place, and every
 * few minutes anyway, it lists again. It pauses longer and longer while nothing works, with jitter.
 */
export async function* followSecrets<T>(options: Options<T>): AsyncGenerator<Step<T>> {
  const { signal, listAgainMs = RELIST_MS, firstPauseMs = FIRST_PAUSE_MS } = options;
  let place: WatchPosition | undefined;
  let failures = 0;
  let isUnreadable = false;
  while (!signal.aborted) {
    try {
      if (place === undefined || performance.now() - place.listedAt > listAgainMs) {
        const listed = await list(options);
        place = { version: listed.version, listedAt: performance.now() };
        failures = 0;
        isUnreadable = false;
        yield { kind: 'listed', items: listed.items };
      }
      const startedAt = performance.now();
      const events = await watch(options, place);
      if (isUnreadable) yield { kind: 'resumed' };
      isUnreadable = false;
      for await (const step of stepsOf(events, options, place)) {
        failures = 0;
        if (step !== undefined) yield step;
      }
      if (performance.now() - startedAt < MIN_WATCH_MS) failures += 1;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Expired) && !(error instanceof SourceUnreadable)) throw error;
      failures += 1;
      if (error instanceof Expired || failures > MAX_RESUMPTIONS) place = undefined;
      if (error instanceof SourceUnreadable) {
        isUnreadable = true;
        yield { kind: 'unreadable', why: error.message };
      }
    }
    if (failures > 1) await pause(failures - 1, firstPauseMs, signal);
  }
}

interface WatchPosition {
  version: string;
  readonly listedAt: number;
}

async function list<T>({ cluster, namespace, select, signal }: Options<T>) {
  const selected = (secret: Secret) => {
    const item = select(secret);
    return item === undefined ? undefined : ([secret.metadata.name, item] as const);
  };
  const { items, version } = await cluster.list({ namespace }, selected, signal);
  return { items: new Map(items), version };
}

function watch<T>({ cluster, namespace, signal }: Options<T>, { version }: WatchPosition) {
  return cluster.watch(namespace, version, signal);
}

/** Yields nothing for what is of no interest, which moves the place on all the same. */
async function* stepsOf<T>(
  events: AsyncIterable<WatchEvent>,
  { select }: Options<T>,
  place: WatchPosition,
): AsyncGenerator<Step<T> | undefined> {
  for await (const { type, object } of events) {
    // Before it is given out: whoever takes it may take its time, and the connection may break meanwhile.
    place.version = object.metadata.resourceVersion ?? place.version;
    const item = type === 'BOOKMARK' ? undefined : select(object);
    if (item === undefined) yield undefined;
    else if (type === 'DELETED') yield { kind: 'gone', name: object.metadata.name };
    else yield { kind: 'changed', name: object.metadata.name, item };
  }
}

async function pause(failures: number, firstPauseMs: number, signal: AbortSignal): Promise<void> {
  const longest = Math.min(MAX_PAUSE_MS, firstPauseMs * 2 ** Math.min(failures, 10));
  await wait(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
}
