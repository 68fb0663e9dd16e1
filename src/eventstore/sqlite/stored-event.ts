import type { LogEvent, StoredJson } from '../event-store.ts';
import type { JsonObject } from '../json.ts';

/** A stored event. Each access to `data` or `metadata` parses the JSON, since a replay needs only some of them. */
export class StoredEvent implements LogEvent {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly id: string;
  readonly type: string;
  readonly recordedAt: number;
  readonly #data: string;
  readonly #metadata: string;

  constructor(
    position: number,
    stream: string,
    revision: number,
    id: string,
    type: string,
    data: string,
    metadata: string,
    recordedAt: number,
  ) {
    this.position = position;
    this.stream = stream;
    this.revision = revision;
    this.id = id;
    this.type = type;
    this.recordedAt = recordedAt;
    this.#data = data;
    this.#metadata = metadata;
  }

  get json(): StoredJson {
    return { data: this.#data, metadata: this.#metadata };
  }

  get data(): JsonObject {
    return JSON.parse(this.#data);
  }

  get metadata(): JsonObject {
    return JSON.parse(this.#metadata);
  }
}
