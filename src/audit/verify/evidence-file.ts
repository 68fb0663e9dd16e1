import { canonicalJson } from '../canonical-json.ts';
import { EVIDENCE_FORMAT, FORMER_EVIDENCE_FORMATS } from '../evidence/format.ts';
import { strictBase64 } from '../note-key.ts';
import type { Leaf } from './billing-fact.ts';
import type { JsonObject } from './json-value.ts';
import { isMonth } from './months.ts';
import { Refuted } from './outcome.ts';
import { anyObject, count, list, object, orNull, text } from './shape.ts';

/** Larger files are not read: 100,000 facts take some 130 MB. */
export const MAX_EVIDENCE_BYTES = 192 * 1024 * 1024;
/** More values are not read, since each takes more memory than its bytes: 100,000 facts have some 4 million. */
const MAX_VALUES = 16_000_000;
/** Values that JSON nests deeper are not read. The ledger records nothing deeper than 32. */
const MAX_DEPTH = 64;

/** An event of the log, and the proof that it stands there. */
export interface Entry {
  readonly index: number;
  readonly leaf: Leaf;
  /** Base64. */
  readonly proof: string;
}

export interface EvidenceFile {
  readonly evidence: {
    readonly accountId: string;
    /** The event with which statements begin, if one is recorded. */
    readonly beginning?: Entry;
    readonly checkpoint: string;
    readonly closings: readonly Entry[];
    readonly clusters: readonly { readonly clusterId: string; readonly facts: readonly Entry[] }[];
    readonly consistency: readonly {
      readonly checkpoint?: string;
      readonly proof: string;
      readonly root: string;
      readonly size: number;
    }[];
    readonly keys: readonly string[];
    readonly origin: string;
    readonly period: string;
    readonly statement?: JsonObject | null;
    readonly usage?: JsonObject;
  };
  readonly seal: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const bytes = text('base64', (value) => strictBase64(value) !== undefined);
const entry = object({
  index: count,
  leaf: object({
    data: anyObject,
    id: text('a UUID in lower case', (value) => UUID.test(value)),
    metadata: anyObject,
    recordedAt: text(),
    revision: count,
    stream: text(),
    type: text(),
  }),
  proof: bytes,
});
const file = object({
  evidence: object(
    {
      accountId: text(),
      checkpoint: text(),
      closings: list(entry),
      clusters: list(object({ clusterId: text(), facts: list(entry, 1) })),
      consistency: list(object({ proof: bytes, root: bytes, size: count }, { checkpoint: text() })),
      format: text(JSON.stringify(EVIDENCE_FORMAT), (value) => value === EVIDENCE_FORMAT),
      keys: list(text(), 1, 16),
      origin: text(),
      period: text('a month, YYYY-MM', isMonth),
    },
    { beginning: entry, statement: orNull(anyObject), usage: anyObject },
  ),
  seal: text(),
});

/**
 * Reads the bytes of an evidence file. They must be exactly what the ledger writes: canonical JSON (RFC 8785) in UTF-8, and a
 * newline.
 * @throws Refuted
 */
export function readEvidenceFile(bytes: Uint8Array): EvidenceFile {
  const value = parseCanonical(bytes);
  refuseFormer(value);
  file('', value);
  const read = value as unknown as EvidenceFile;
  if ((read.evidence.statement === undefined) === (read.evidence.usage === undefined))
    throw new Refuted('format', 'evidence: must have a statement or a usage, and not both');
  return read;
}

/** @throws Refuted if the file is of a former format: its figures follow from former rules. */
function refuseFormer(file: JsonObject | null): void {
  const evidence = file?.['evidence'] as JsonObject | null | undefined;
  const format = evidence?.['format'];
  if (!FORMER_EVIDENCE_FORMATS.some((former) => former === format)) return;
  const why = `the file is of the format ${JSON.stringify(format)}; this release reads ${JSON.stringify(EVIDENCE_FORMAT)}`;
  throw new Refuted(
    'format',
    `${why}: ask the ledger for the evidence again, or use the release that made it`,
  );
}

function parseCanonical(bytes: Uint8Array): JsonObject {
  if (bytes.length > MAX_EVIDENCE_BYTES)
    throw new Refuted('format', `the file has ${bytes.length} bytes; at most ${MAX_EVIDENCE_BYTES} are read`);
  requireModest(bytes);
  let value: JsonObject;
  let canonical: string;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
    canonical = `${canonicalJson(value)}\n`;
  } catch (error) {
    throw new Refuted('format', `the file is not JSON in UTF-8: ${(error as Error).message}`);
  }
  if (canonical !== text) {
    const at = firstDifference(canonical, text);
    const found = JSON.stringify(text.slice(at, at + 20));
    const why = `it is not written as the ledger writes it (RFC 8785, then a newline) from character ${at} on: ${found}`;
    throw new Refuted('format', why);
  }
  return value;
}

const [QUOTE, COMMA, BACKSLASH, BRACKET, BRACE] = [0x22, 0x2c, 0x5c, 0x5b, 0x7b];

/** Counts brackets and commas before anything is parsed. @throws Refuted if there are too many of them */
function requireModest(bytes: Uint8Array): void {
  let depth = 0;
  let values = 0;
  let isInString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (isInString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) isInString = true;
    else if (byte === COMMA) values++;
    else if (byte === BRACKET || byte === BRACE) {
      depth++;
      values++;
    } else if (byte === BRACKET + 2 || byte === BRACE + 2) depth--;
    if (depth > MAX_DEPTH)
      throw new Refuted('format', `at byte ${i} the file is nested deeper than ${MAX_DEPTH}`);
    if (values > MAX_VALUES) throw new Refuted('format', `the file has more than ${MAX_VALUES} values`);
  }
}

function firstDifference(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  return at;
}
