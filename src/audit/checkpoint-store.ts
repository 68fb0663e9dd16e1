import { randomUUID } from 'node:crypto';
import type { EventStore, RecordedEvent } from '../eventstore/event-store.ts';
import { parseCheckpoint } from './checkpoint.ts';

/** State, and so no part of the log that it is about. */
const STREAM = '~log-checkpoints';
const SIGNED = 'CheckpointSigned';

/** A checkpoint as it was signed and kept. */
export interface SignedCheckpoint {
  /** A C2SP signed note. */
  readonly note: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** In ms since the epoch, by the clock of who signed it. */
  readonly signedAt: number;
}

/** A kept checkpoint and its place among the others. */
export interface StoredCheckpoint extends SignedCheckpoint {
  readonly origin: string;
  /** 0, 1, 2, … */
  readonly number: number;
}

/** All checkpoints that were ever signed, in order, for ever. What is read is not verified here. */
export class CheckpointStore {
  readonly #store: Pick<EventStore, 'append' | 'readStream'>;

  constructor(store: Pick<EventStore, 'append' | 'readStream'>) {
    this.#store = store;
  }

  /** @throws MalformedCheckpoint where what is kept is none. @throws StoreUnavailable */
  async newest(): Promise<StoredCheckpoint | undefined> {
    const options = { direction: 'backwards', limit: 1 } as const;
    for await (const event of this.#store.readStream(STREAM, options)) return readKept(event);
    return undefined;
  }

  /** Oldest first. @throws MalformedCheckpoint, StoreUnavailable */
  async *all(): AsyncGenerator<StoredCheckpoint> {
    for await (const event of this.#store.readStream(STREAM)) yield readKept(event);
  }

  /** Keeps a note behind the one that was the newest. @throws VersionConflict where there is a newer one; as the store does */
  async keep(
    note: string,
    newest: StoredCheckpoint | undefined,
    signedAt: number,
  ): Promise<StoredCheckpoint> {
    const event = { id: randomUUID(), type: SIGNED, data: { note }, metadata: {}, recordedAt: signedAt };
    const number = await this.#store.append(STREAM, [event], newest?.number ?? 'absent');
    return readKept({ ...event, stream: STREAM, revision: number });
  }
}

function readKept({ data, revision, recordedAt }: RecordedEvent): StoredCheckpoint {
  const { note: kept } = data;
  const note = String(kept);
  // The text of a note ends with the newline before the empty line above its signatures.
  const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
  return { note, ...parseCheckpoint(text), signedAt: recordedAt, number: revision };
}
