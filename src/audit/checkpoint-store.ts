import { randomUUID } from 'node:crypto';
import type { EventStore, RecordedEvent } from '../eventstore/event-store.ts';
import { parseCheckpoint } from './checkpoint-text.ts';

/** A state stream, so that checkpoints are not a part of the log that they commit to. */
const STREAM = '~log-checkpoints';
const SIGNED = 'CheckpointSigned';

/** A signed checkpoint. */
export interface SignedCheckpoint {
  /** A C2SP signed note. */
  readonly note: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** Milliseconds since the epoch, by the clock of the signer. */
  readonly signedAt: number;
}

/** A stored checkpoint. */
export interface StoredCheckpoint extends SignedCheckpoint {
  readonly origin: string;
  /** Index among all checkpoints, from 0. */
  readonly number: number;
}

/** Stores all checkpoints that were ever signed, in order. Reading verifies no signature. */
export class CheckpointStore {
  readonly #store: Pick<EventStore, 'append' | 'readStream'>;

  constructor(store: Pick<EventStore, 'append' | 'readStream'>) {
    this.#store = store;
  }

  /** Returns the newest checkpoint. @throws MalformedCheckpoint if it cannot be parsed. @throws StoreUnavailable */
  async newest(): Promise<StoredCheckpoint | undefined> {
    const options = { direction: 'backwards', limit: 1 } as const;
    for await (const event of this.#store.readStream(STREAM, options)) return parseStored(event);
    return undefined;
  }

  /** Yields all checkpoints, oldest first. @throws MalformedCheckpoint, StoreUnavailable */
  async *all(): AsyncGenerator<StoredCheckpoint> {
    for await (const event of this.#store.readStream(STREAM)) yield parseStored(event);
  }

  /** Appends a note after the newest one known. @throws VersionConflict if there is a newer one, and the errors of the store. */
  async append(
    note: string,
    newest: StoredCheckpoint | undefined,
    signedAt: number,
  ): Promise<StoredCheckpoint> {
    const event = { id: randomUUID(), type: SIGNED, data: { note }, metadata: {}, recordedAt: signedAt };
    const number = await this.#store.append(STREAM, [event], newest?.number ?? 'absent');
    return parseStored({ ...event, stream: STREAM, revision: number });
  }
}

function parseStored({ data, revision, recordedAt }: RecordedEvent): StoredCheckpoint {
  const note = String(data['note']);
  // The text of a note ends before the empty line above its signatures.
  const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
  return { note, ...parseCheckpoint(text), signedAt: recordedAt, number: revision };
}
