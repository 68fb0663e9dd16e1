import { hash } from 'node:crypto';
import type { RecordedEvent } from '../eventstore/event-store.ts';
import { canonicalJson, canonicalString } from './canonical-json.ts';
import { canonicalText } from './canonical-text.ts';

/** Size of a SHA-256 hash in bytes. */
export const HASH_BYTES = 32;

/** Maximum size of a leaf in bytes: entry bundles have two bytes for its length (C2SP tlog-tiles, "Log entries"). */
export const MAX_LEAF_BYTES = 65_535;

/** The event cannot be a leaf. It should never have been recorded, and the tree cannot grow beyond it. */
export class LeafError extends Error {
  override readonly name = 'LeafError';
}

/**
 * Returns the leaf of an event: the RFC 8785 canonical JSON of `{ data, id, metadata, recordedAt, revision, stream, type }`, with
 * `recordedAt` as YYYY-MM-DDTHH:MM:SS.mmmZ. The tree hashes its UTF-8 bytes, and entry bundles contain them.
 * @throws LeafError if the leaf is too large, or RFC 8785 cannot represent the event.
 */
export function leafText(event: RecordedEvent): string {
  const text = textOf(event);
  if (text.length > MAX_LEAF_BYTES / 3) {
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_LEAF_BYTES) {
      throw new LeafError(`${nameOf(event)} has ${bytes} bytes; a leaf has at most ${MAX_LEAF_BYTES}`);
    }
  }
  return text;
}

function textOf(event: RecordedEvent): string {
  const { id, recordedAt, revision, stream, type, json } = event;
  try {
    const data = json === undefined ? canonicalJson(event.data) : canonicalText(json.data, type);
    const metadata =
      json === undefined ? canonicalJson(event.metadata) : canonicalText(json.metadata, 'metadata');
    return (
      `{"data":${data},"id":${canonicalString(id)},"metadata":${metadata}` +
      `,"recordedAt":"${formatInstant(recordedAt)}","revision":${canonicalJson(revision)}` +
      `,"stream":${canonicalString(stream)},"type":${canonicalString(type)}}`
    );
  } catch (cause) {
    throw new LeafError(`${nameOf(event)} has no canonical form: ${(cause as Error).message}`, { cause });
  }
}

function nameOf({ stream, revision, id }: RecordedEvent): string {
  return `event ${id} (${stream}, revision ${revision})`;
}

/** Returns the hash of a leaf, 32 bytes: SHA-256(0x00 || leaf) (RFC 9162, section 2.1.1). @param leaf bytes, or text in UTF-8. */
export function leafHash(leaf: Uint8Array | string): Uint8Array {
  const text = typeof leaf === 'string';
  return hash('sha256', text ? `\0${leaf}` : Buffer.concat([LEAF_PREFIX, leaf]), 'buffer');
}

const LEAF_PREFIX = Uint8Array.of(0);

/** Buffer for 0x00 and the text of a leaf, with three bytes for each character. */
const preimage = Buffer.alloc(1 + 3 * MAX_LEAF_BYTES);

/**
 * Writes the hash of the text of a leaf to the beginning of `target`. Faster than `leafHash`.
 * @throws RangeError if the text is longer than a leaf.
 */
export function hashLeaf(text: string, target: Buffer): void {
  if (text.length > MAX_LEAF_BYTES) throw new RangeError(`a leaf cannot have ${text.length} characters`);
  // The one-shot `hash` with a binary string as digest takes a third of the time of a Hash object or a Buffer as digest. The
  // text is passed as bytes, because `hash` takes twice as long for a concatenated string.
  const end = 1 + preimage.write(text, 1);
  target.write(hash('sha256', preimage.subarray(0, end), 'binary'), 0, 'latin1');
}

const DAY_MS = 86_400_000;
/** First and last instant of RFC 3339: `0000-01-01T00:00:00.000Z` and the end of the year 9999. */
const FIRST_INSTANT = -62_167_219_200_000;
const LAST_INSTANT = 253_402_300_799_999;
const digits = (count: number, width: number) =>
  Array.from({ length: count }, (_, n) => String(n).padStart(width, '0'));
const TWO = digits(60, 2);
const THREE = digits(1_000, 3);

let lastDay = Number.NaN;
let lastDate = '';

/** Formats an instant as `Date.toISOString` does, in a quarter of the time for consecutive instants of one day. */
function formatInstant(ms: number): string {
  if (!Number.isInteger(ms) || ms < FIRST_INSTANT || ms > LAST_INSTANT)
    throw new Error(`${ms} is not an instant that RFC 3339 can represent`);
  const day = Math.floor(ms / DAY_MS);
  if (day !== lastDay) {
    lastDate = new Date(day * DAY_MS).toISOString().slice(0, 11);
    lastDay = day;
  }
  const rest = ms - day * DAY_MS;
  const seconds = Math.floor(rest / 1_000);
  const minutes = Math.floor(seconds / 60);
  return `${lastDate}${TWO[Math.floor(minutes / 60)]}:${TWO[minutes % 60]}:${TWO[seconds % 60]}.${THREE[rest % 1_000]}Z`;
}
