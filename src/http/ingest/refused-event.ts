import type { JsonObject } from '../../eventstore/json.ts';
import type { RejectedEvent } from '../../ledger/rejected-event-store.ts';
import { shallowJson } from '../server/json-outline.ts';
import type { Problem } from '../server/problem.ts';
import { maskCredentials, withoutCredentials } from './without-credentials.ts';

/** Prefix of the types of the ledger, of all versions. */
const TYPES = 'io.clusterledger.';

/** Attributes that are kept of an event that cannot be kept as a whole. */
const ATTRIBUTES = ['specversion', 'id', 'source', 'type', 'subject', 'time'] as const;
const MAX_ATTRIBUTE_LENGTH = 1_024;

/** Maximum size of a kept event with its problem, in bytes of JSON. With the metadata it fits into an entry of the log. */
const MAX_KEPT_BYTES = 56 * 1024;
/** Maximum size of the text of an event that is not kept as a whole. As JSON, a byte takes up to 2 bytes, rarely 6. */
const MAX_TEXT_BYTES = 16 * 1024;
const MAX_ERRORS = 10;
const MAX_DETAIL_LENGTH = 400;

/**
 * Returns what to keep of an event that is not valid, or `undefined` if it is not a well-formed event of the ledger: one with
 * an id, a source, and a type that begins with `io.clusterledger.`.
 * @param posted the event; `undefined` if only its text is known.
 * @param text what was posted, if its JSON would not be kept unchanged.
 * @param actor who posted the event.
 */
export function refusedEvent(
  posted: unknown,
  problem: Problem,
  text: string | undefined,
  actor: string,
): RejectedEvent | undefined {
  const event = posted ?? (text === undefined ? undefined : parsedShallow(text));
  if (!isWellFormed(event)) return undefined;
  const { source, id, subject } = attributesOf(event) as Record<string, string>;
  const about = {
    source: source as string,
    id: id as string,
    actor,
    clusterId: subject?.slice(0, 128) ?? '',
    rejection: rejectionOf(problem),
  };
  if (text === undefined) {
    const kept = { ...about, event: withoutCredentials(event) };
    if (Buffer.byteLength(JSON.stringify(kept)) <= MAX_KEPT_BYTES) return kept;
  }
  const beginning = maskCredentials(cut(text ?? JSON.stringify(event), MAX_TEXT_BYTES));
  return { ...about, event: withoutCredentials(attributesOf(event)), text: beginning };
}

function parsedShallow(text: string): unknown {
  try {
    return JSON.parse(shallowJson(text));
  } catch {
    return undefined;
  }
}

function isWellFormed(event: unknown): event is JsonObject {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return false;
  const { id, source, type } = event as Readonly<Record<string, unknown>>;
  const isText = (value: unknown) => typeof value === 'string' && value !== '';
  return isText(id) && isText(source) && typeof type === 'string' && type.startsWith(TYPES);
}

function attributesOf(event: JsonObject): JsonObject {
  const texts = ATTRIBUTES.flatMap((name) => {
    const value = event[name];
    return typeof value === 'string' ? [[name, value.slice(0, MAX_ATTRIBUTE_LENGTH).toWellFormed()]] : [];
  });
  return Object.fromEntries(texts);
}

function rejectionOf({ code, message, errors = [] }: Problem): RejectedEvent['rejection'] {
  const shorten = (text: string) => maskCredentials(text).slice(0, MAX_DETAIL_LENGTH).toWellFormed();
  return {
    code: code as 'invalid-request' | 'malformed-json' | 'too-large',
    detail: shorten(message),
    errors: errors
      .slice(0, MAX_ERRORS)
      .map(({ pointer, detail }) => ({ pointer: shorten(pointer), detail: shorten(detail) })),
  };
}

/** Returns the beginning of a text, of at most that many bytes of UTF-8. */
function cut(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  return bytes.length <= maxBytes
    ? text
    : bytes
        .subarray(0, maxBytes)
        .toString('utf8')
        .replace(/\ufffd+$/, '');
}
