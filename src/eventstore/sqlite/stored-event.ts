import { DIGEST_BYTES, type LogEvent, type StoredJson } from '../event-store.ts';
import type { JsonObject } from '../json.ts';

/** A stored event. Each access to `data` or `metadata` parses the JSON, since followers need only some of them. */
export class StoredEvent implements LogEvent {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly id: string;
  readonly type: string;
  readonly recordedAt: number;
  readonly content: unknown;
  /** The digests of the events that were written with this one, and where its own begins. */
  readonly #digests: Uint8Array | undefined;
  readonly #digestAt: number;
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
    content?: unknown,
    digests?: Uint8Array,
    digestAt = 0,
  ) {
    this.position = position;
    this.stream = stream;
    this.revision = revision;
    this.id = id;
    this.type = type;
    this.recordedAt = recordedAt;
    this.content = content;
    this.#digests = digests;
    this.#digestAt = digestAt;
    this.#data = data;
    this.#metadata = metadata;
  }

  /** The event as a later process reads it. */
  get withoutContent(): StoredEvent {
    const { position, stream, revision, id, type, recordedAt } = this;
    return new StoredEvent(position, stream, revision, id, type, this.#data, this.#metadata, recordedAt);
  }

  /** A view, made for each access: kept with each event, it would take more memory than the digest. */
  get digest(): Uint8Array | undefined {
    return this.#digests?.subarray(this.#digestAt, this.#digestAt + DIGEST_BYTES);
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
