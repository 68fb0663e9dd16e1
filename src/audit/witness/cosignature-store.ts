import { randomUUID } from 'node:crypto';
import type { EventStore } from '../../eventstore/event-store.ts';
import { VersionConflict } from '../../eventstore/store-errors.ts';

/** A state stream, as that of the checkpoints. */
const STREAM = '~log-cosignatures';
const COSIGNED = 'CheckpointCosigned';
/** Number of cosignatures that are read back at the start: enough for those of the newest checkpoint. */
const READ_BACK = 100;

/** A cosignature of a checkpoint. */
export interface Cosignature {
  /** Size of the tree of the checkpoint. */
  readonly size: number;
  /** Name of the key of the witness. */
  readonly witness: string;
  /** The signature line. */
  readonly line: string;
}

/** Stores every cosignature that a witness ever gave. */
export class CosignatureStore {
  readonly #store: Pick<EventStore, 'append' | 'readStream'>;

  constructor(store: Pick<EventStore, 'append' | 'readStream'>) {
    this.#store = store;
  }

  /** Returns the newest cosignatures, newest first. @throws StoreUnavailable */
  async newest(): Promise<Cosignature[]> {
    const found: Cosignature[] = [];
    const options = { direction: 'backwards', limit: READ_BACK } as const;
    for await (const { data } of this.#store.readStream(STREAM, options))
      found.push(data as unknown as Cosignature);
    return found;
  }

  /** Resolves once a cosignature is durable. @throws the errors of `EventStore.append` */
  async append(cosignature: Cosignature, recordedAt: number): Promise<void> {
    const event = { id: randomUUID(), type: COSIGNED, data: { ...cosignature }, metadata: {}, recordedAt };
    for (;;) {
      try {
        await this.#store.append(STREAM, [event], await this.#end());
        return;
      } catch (error) {
        // Another replica keeps its cosignatures in the same stream.
        if (!(error instanceof VersionConflict)) throw error;
      }
    }
  }

  async #end(): Promise<number | 'absent'> {
    const options = { direction: 'backwards', limit: 1 } as const;
    for await (const { revision } of this.#store.readStream(STREAM, options)) return revision;
    return 'absent';
  }
}
