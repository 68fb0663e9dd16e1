import { type EventData, type JSONType, jsonEvent, type ResolvedEvent } from '@eventstore/db-client';
import type { NewEvent, RecordedEvent } from '../event-store.ts';
import type { JsonObject } from '../json.ts';
import { isStateStream } from '../prepare-append.ts';

const encoder = new TextEncoder();

/**
 * Converts streams and events of a ledger to those of the server and back. A stream is named `<namespace>.<name>` on the
 * server, and a state stream `<namespace>~<name>`, so that the server filters the log by one prefix.
 */
export class ServerEvents {
  readonly #namespace: string;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** Prefix of the streams of the log. */
  get prefix(): string {
    return `${this.#namespace}.`;
  }

  /** Prefix of the state streams. */
  get statePrefix(): string {
    return `${this.#namespace}~`;
  }

  /** Returns the name of a stream on the server. */
  streamName(stream: string): string {
    return isStateStream(stream) ? `${this.#namespace}${stream}` : `${this.prefix}${stream}`;
  }

  toEventData({ id, type, data, metadata, recordedAt }: NewEvent): EventData {
    // The client sends bytes as they are. It would encode an object as Base64, and decode that twice.
    const bytes = encoder.encode(JSON.stringify({ ...metadata, recordedAt }));
    return jsonEvent({ id, type, data: data as JSONType, metadata: bytes });
  }

  toRecordedEvent(event: NonNullable<ResolvedEvent['event']>): RecordedEvent {
    const { recordedAt, ...metadata } = (event.metadata ?? {}) as JsonObject;
    const name = event.streamId.slice(this.#namespace.length);
    return {
      id: event.id,
      stream: name.startsWith('.') ? name.slice(1) : name,
      revision: Number(event.revision),
      type: event.type,
      data: event.data as unknown as JsonObject,
      metadata,
      // Events of the ledger have a time of recording. For events of other applications the time of the server is used.
      recordedAt: typeof recordedAt === 'number' ? recordedAt : event.created.getTime(),
      storedAt: event.created.getTime(),
    };
  }
}
