import type { NewEvent, StoredJson } from './event-store.ts';
import { InvalidAppend } from './store-errors.ts';

/**
 * Maximum size of one append on every store, in bytes of JSON (data and metadata). EventStoreDB allows 1 MiB; since 24.10 it
 * counts event types and metadata too.
 */
export const MAX_APPEND_BYTES = 1_000_000;

const TYPE = /^[A-Za-z][A-Za-z0-9.-]{0,127}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Names end with ids of clusters or accounts, and an id of an account may be a mail address. */
const STREAM = /^~?[A-Za-z0-9][A-Za-z0-9._:@-]{0,254}$/;

/** An event whose data and metadata are serialized as JSON. */
export interface PreparedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
  readonly recordedAt: number;
  readonly content: unknown;
}

/** Returns whether a stream is a state stream, which is not a part of the log. */
export function isStateStream(stream: string): boolean {
  return stream.startsWith('~');
}

/**
 * Checks and serializes events before they reach a store. Without this check the client of EventStoreDB ends the process or
 * never settles if an id is not a UUID, a type is empty, or the data is not JSON: it then fails while it writes to its gRPC
 * stream, inside an async promise executor, where the caller cannot catch the error.
 * @throws InvalidAppend if an event cannot be written.
 */
export function prepareAppend(stream: string, events: readonly NewEvent[]): PreparedEvent[] {
  if (!STREAM.test(stream)) throw new InvalidAppend(`${JSON.stringify(stream)} is not a stream name`);
  if (events.length === 0) throw new InvalidAppend('an append needs at least one event');
  if (events.length > 1 && new Set(events.map(({ id }) => id)).size < events.length)
    throw new InvalidAppend('two events have the same id');
  const prepared = events.map((event) => {
    const { id, type, json, recordedAt, content } = event;
    if (!UUID.test(id)) throw new InvalidAppend(`event id ${JSON.stringify(id)} is not a lower-case UUID`);
    if (!TYPE.test(type)) throw new InvalidAppend(`${JSON.stringify(type)} is not an event type`);
    const { data, metadata } = json ?? serialized(event);
    return { id, type, data, metadata, recordedAt, content };
  });
  let length = 0;
  for (const { data, metadata } of prepared) length += data.length + metadata.length;
  // Almost no append is so long that its bytes must be counted: a code unit has at most three.
  const bytes = 3 * length > MAX_APPEND_BYTES ? bytesOf(prepared) : 0;
  if (bytes > MAX_APPEND_BYTES) {
    throw new InvalidAppend(`an append has ${bytes} bytes; at most ${MAX_APPEND_BYTES} are allowed`);
  }
  return prepared;
}

function serialized({ data, metadata }: NewEvent): StoredJson {
  return { data: serialize(data), metadata: serialize(metadata) };
}

function serialize(value: object): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new InvalidAppend('the event has a value that JSON cannot represent', { cause });
  }
  if (text === undefined || !text.startsWith('{'))
    throw new InvalidAppend('data and metadata must be objects');
  return text;
}

function bytesOf(events: readonly PreparedEvent[]): number {
  return events.reduce(
    (sum, { data, metadata }) => sum + Buffer.byteLength(data) + Buffer.byteLength(metadata),
    0,
  );
}
