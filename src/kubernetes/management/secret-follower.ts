import { setTimeout as wait } from 'node:timers/promises';
import type { Step } from '../../domain/kubefirst/record-step.ts';
import type { ManagementCluster } from './management-cluster.ts';
import { Expired, type Secret, type WatchEvent } from './secrets-api.ts';
import { SourceUnreadable } from './source-unreadable.ts';

interface Options<T> {
  readonly cluster: ManagementCluster;
  readonly namespace: string;
  /** Returns the part of a Secret to keep; `undefined` if it is not of interest. */
  readonly select: (secret: Secret) => T | undefined;
  readonly signal: AbortSignal;
  /** Time after which everything is listed again, in case an event was missed. */
  readonly listAgainMs?: number;
  readonly firstPauseMs?: number;
}

const RELIST_MS = 10 * 60_000;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;
/** Number of failed resumptions in a row after which the follower lists again. */
const MAX_RESUMPTIONS = 4;
/** A watch that ends sooner than this counts as a failure. */
const MIN_WATCH_MS = 1_000;

/**
 * Follows the Secrets of a namespace until the signal fires: a list, then a watch. After a broken connection it
 * resumes at the last resource version, so no event is missed. If that version has expired, and every few minutes
 * anyway, it lists again. Failures cause an exponential backoff with jitter.
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

/** Yields `undefined` for a Secret that is not of interest; its version is remembered all the same. */
async function* stepsOf<T>(
  events: AsyncIterable<WatchEvent>,
  { select }: Options<T>,
  place: WatchPosition,
): AsyncGenerator<Step<T> | undefined> {
  for await (const { type, object } of events) {
    // Remember the version before yielding: the consumer may be slow, and the connection may break meanwhile.
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
