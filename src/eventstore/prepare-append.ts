import type { NewEvent } from './event-store.ts';
import { InvalidAppend } from './store-errors.ts';

/**
 * The most bytes of JSON (data and metadata) that one append may carry, on every store: EventStoreDB allows 1 MiB and,
 * from 24.10 on, counts types and metadata too.
 */
export const MAX_APPEND_BYTES = 1_000_000;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const STREAM = /^~?[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;

/** An event as text: what it is stored as, and proof that JSON can carry it. */
export interface PreparedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
  readonly recordedAt: number;
}

export function isState(stream: string): boolean {
  return stream.startsWith('~');
}

/**
 * Checks and serialises before anything reaches a store. EventStoreDB's client crashes the process, or waits for ever, on
 * an id that is no UUID, an empty type, or data that is not JSON.
 * @throws InvalidAppend
 */
export function prepareAppend(stream: string, events: readonly NewEvent[]): PreparedEvent[] {
  if (!STREAM.test(stream)) throw new InvalidAppend(`${JSON.stringify(stream)} is no stream name`);
  if (events.length === 0) throw new InvalidAppend('an append needs at least one event');
  if (new Set(events.map(({ id }) => id)).size < events.length)
    throw new InvalidAppend('two events have one id');
  const prepared = events.map(({ id, type, data, metadata, recordedAt }) => {
    if (!UUID.test(id)) throw new InvalidAppend(`event id ${JSON.stringify(id)} is no UUID in lower case`);
    if (!/^[A-Za-z][A-Za-z0-9.-]{0,127}$/.test(type))
      throw new InvalidAppend(`${JSON.stringify(type)} is no event type`);
    return { id, type, data: serialise(data), metadata: serialise(metadata), recordedAt };
  });
  const bytes = prepared.reduce(
    (sum, { data, metadata }) => sum + byteLength(data) + byteLength(metadata),
    0,
  );
  if (bytes > MAX_APPEND_BYTES) {
    throw new InvalidAppend(`an append of ${bytes} bytes is larger than the ${MAX_APPEND_BYTES} allowed`);
  }
  return prepared;
}

function serialise(value: object): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new InvalidAppend('the event holds something that JSON cannot carry', { cause });
  }
  if (text === undefined || !text.startsWith('{'))
    throw new InvalidAppend('data and metadata must be objects');
  return text;
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
