import { setImmediate as turn } from 'node:timers/promises';
import type { EventStore, LogEvent, RecordedEvent } from '../../eventstore/event-store.ts';
import { StoreFailed } from '../../eventstore/store-errors.ts';
import { MalformedCheckpoint, parseCheckpoint } from '../checkpoint-text.ts';
import { LeafError, leafHash, leafText } from '../leaf.ts';
import type { NoteVerifier } from '../note-key.ts';
import type { Leaf } from './billing-fact.ts';
import { type Expectation, LogWalk } from './log-walk.ts';
import { openCheckpoint, readKeys } from './notes.ts';
import { type Failed, failed, Refuted } from './outcome.ts';

export interface StoreOptions {
  /** Keys in verifier form, the former ones too. Without any, only the root hashes of checkpoints are compared. */
  readonly keys?: readonly string[];
  /** A signed checkpoint of the same log, kept from before and elsewhere: it needs keys. */
  readonly olderCheckpoint?: string | undefined;
  /** Whether the statements of all closed periods are computed again. Default true. */
  readonly statements?: boolean;
  /** Called now and then with the number of events read so far. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends it; what it gave then rejects with the reason. */
  readonly signal?: AbortSignal;
}

export interface StoreSummary {
  /** About the stored checkpoints; `undefined` if there is none. */
  readonly origin: string | undefined;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  readonly streams: number;
  readonly checkpoints: number;
  /** Events covered by the newest kept checkpoint. */
  readonly signedSize: number;
  readonly closings: number;
  readonly statementsChecked: boolean;
}

export type StoreVerdict = { readonly ok: true; readonly summary: StoreSummary } | Failed;

const CHECKPOINTS = '~log-checkpoints';

/**
 * Reads a whole store, and checks that it is what was signed of it; that streams run on without a gap and no id stands twice;
 * and that what was recorded of every closed period follows from the facts.
 * What the store itself finds damaged is a failure too.
 * @throws StoreUnavailable as the store does; the reason of the signal.
 */
export async function verifyStore(
  store: Pick<EventStore, 'readAll' | 'readStream' | 'head'>,
  options: StoreOptions = {},
): Promise<StoreVerdict> {
  try {
    return { ok: true, summary: await verify(store, options) };
  } catch (error) {
    if (error instanceof StoreFailed) return { ok: false, check: 'format', why: error.message };
    return failed(error);
  }
}

async function verify(
  store: Pick<EventStore, 'readAll' | 'readStream' | 'head'>,
  { keys: given = [], olderCheckpoint, statements = true, onProgress, signal }: StoreOptions,
): Promise<StoreSummary> {
  const keys = given.length === 0 && olderCheckpoint === undefined ? undefined : readKeys(given);
  const kept = await keptCheckpoints(store, keys);
  const older =
    olderCheckpoint === undefined ? [] : [readOlder(olderCheckpoint, keys ?? [], kept.at(-1)?.origin)];
  const total = await store.head();
  const walk = new LogWalk({ expected: [...older, ...kept], statements });
  for await (const events of store.readAll(0)) {
    signal?.throwIfAborted();
    for (const event of events) addTo(walk, event);
    onProgress?.(walk.size, Math.max(total, walk.size));
    await turn();
  }
  walk.end();
  return {
    origin: kept.at(-1)?.origin,
    size: walk.size,
    root: Buffer.from(walk.root).toString('base64'),
    streams: walk.streams,
    checkpoints: kept.length,
    signedSize: kept.at(-1)?.size ?? 0,
    closings: walk.closings.length,
    statementsChecked: statements,
  };
}

function addTo(walk: LogWalk, event: LogEvent): void {
  if (event.position !== walk.size + 1) {
    const why = `the store has position ${event.position} where ${walk.size + 1} is due`;
    throw new Refuted('completeness', why);
  }
  const { data, id, metadata, recordedAt, revision, stream, type } = event;
  try {
    const hash = leafHash(leafText(event));
    const leaf = {
      data,
      id,
      metadata,
      revision,
      stream,
      type,
      recordedAt: new Date(recordedAt).toISOString(),
    };
    walk.add(leaf as unknown as Leaf, hash);
  } catch (error) {
    if (!(error instanceof LeafError)) throw error;
    throw new Refuted('format', `the event at position ${event.position} can be no leaf: ${error.message}`);
  }
}

function readOlder(note: string, keys: readonly NoteVerifier[], origin: string | undefined): Expectation {
  const by = 'the older checkpoint';
  const { size, root } = openCheckpoint(by, note, keys, origin);
  return { by, size, root };
}

interface KeptCheckpoint extends Expectation {
  readonly origin: string;
}

/** All checkpoints that were ever signed, in order. @throws Refuted */
async function keptCheckpoints(
  store: Pick<EventStore, 'readStream'>,
  keys: readonly NoteVerifier[] | undefined,
): Promise<KeptCheckpoint[]> {
  const kept: KeptCheckpoint[] = [];
  for await (const event of store.readStream(CHECKPOINTS)) {
    const checkpoint = readKept(event, keys);
    const last = kept.at(-1);
    if (last !== undefined && checkpoint.size < last.size)
      throw new Refuted('consistency', `${checkpoint.by} is of fewer events than the one before it`);
    kept.push(checkpoint);
  }
  return kept;
}

function readKept(
  { revision, data }: RecordedEvent,
  keys: readonly NoteVerifier[] | undefined,
): KeptCheckpoint {
  const note = String(data['note']);
  const name = `the kept checkpoint ${revision}`;
  const { origin, size, root } =
    keys === undefined ? parseUnverified(name, note) : openCheckpoint(name, note, keys);
  return { by: `${name}, of ${size} events`, origin, size, root };
}

function parseUnverified(name: string, note: string) {
  try {
    return parseCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1));
  } catch (error) {
    if (!(error instanceof MalformedCheckpoint)) throw error;
    throw new Refuted('signature', `${name} is none: ${error.message}`);
  }
}
