import { z } from 'zod';
import { canonicalJson } from '../canonical-json.ts';
import { EVIDENCE_FORMAT } from '../evidence/format.ts';
import { strictBase64 } from '../note-key.ts';
import type { Leaf } from './billing-fact.ts';
import type { JsonObject } from './json.ts';
import { Refuted } from './outcome.ts';

/** Larger files are not read: 100,000 facts take some 200 MB. */
export const MAX_EVIDENCE_BYTES = 384 * 1024 * 1024;
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

const Count = z.int().nonnegative();
const Bytes = z.string().refine((text) => strictBase64(text) !== undefined, 'must be base64');
const Anything = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
);
const EntrySchema = z.strictObject({
  index: Count,
  leaf: z.strictObject({
    data: Anything,
    id: z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'must be a UUID in lower case'),
    metadata: Anything,
    recordedAt: z.string(),
    revision: Count,
    stream: z.string(),
    type: z.string(),
  }),
  proof: Bytes,
});
const FileSchema = z.strictObject({
  evidence: z
    .strictObject({
      accountId: z.string().min(1).max(128),
      checkpoint: z.string(),
      closings: z.array(EntrySchema),
      clusters: z.array(z.strictObject({ clusterId: z.string(), facts: z.array(EntrySchema).min(1) })),
      consistency: z.array(
        z.strictObject({ checkpoint: z.string().optional(), proof: Bytes, root: Bytes, size: Count }),
      ),
      format: z.literal(EVIDENCE_FORMAT),
      keys: z.array(z.string()).min(1).max(16),
      origin: z.string().min(1),
      period: z.string().regex(/^(19[7-9]\d|[2-9]\d{3})-(0[1-9]|1[0-2])$/, 'must be a month'),
      statement: Anything.nullable().optional(),
      usage: Anything.optional(),
    })
    .refine(
      ({ statement, usage }) => (statement === undefined) !== (usage === undefined),
      'must have a statement or a usage, and not both',
    ),
  seal: z.string(),
});

/**
 * Reads the bytes of an evidence file. They must be exactly what the ledger writes: canonical JSON (RFC 8785) in UTF-8, and a
 * newline.
 * @throws Refuted
 */
export function readEvidenceFile(bytes: Uint8Array): EvidenceFile {
  const value = parseCanonical(bytes);
  const parsed = FileSchema.safeParse(value);
  if (!parsed.success) throw new Refuted('format', schemaProblem(parsed.error));
  // Not what the schema has copied: this is what the bytes say.
  return value as unknown as EvidenceFile;
}

function parseCanonical(bytes: Uint8Array): JsonObject {
  if (bytes.length > MAX_EVIDENCE_BYTES)
    throw new Refuted('format', `the file has ${bytes.length} bytes; at most ${MAX_EVIDENCE_BYTES} are read`);
  requireShallow(bytes);
  let value: JsonObject;
  let canonical: string;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
    canonical = `${canonicalJson(value)}\n`;
  } catch (error) {
    throw new Refuted('format', `the file is no JSON in UTF-8: ${(error as Error).message}`);
  }
  if (canonical !== text) {
    const at = firstDifference(canonical, text);
    const found = JSON.stringify(text.slice(at, at + 20));
    const why = `it is not written as the ledger writes it (RFC 8785, then a newline) from character ${at} on: ${found}`;
    throw new Refuted('format', why);
  }
  return value;
}

const [QUOTE, BACKSLASH, BRACKET, BRACE] = [0x22, 0x5c, 0x5b, 0x7b];

/** Looks at the brackets before anything is parsed. */
function requireShallow(bytes: Uint8Array): void {
  let depth = 0;
  let isInString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (isInString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) isInString = true;
    else if (byte === BRACKET || byte === BRACE) depth++;
    else if (byte === BRACKET + 2 || byte === BRACE + 2) depth--;
    if (depth > MAX_DEPTH)
      throw new Refuted('format', `at byte ${i} the file is nested deeper than ${MAX_DEPTH}`);
  }
}

function firstDifference(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  return at;
}

function schemaProblem({ issues: [issue] }: z.ZodError): string {
  const path = issue?.path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('');
  return `${path === '' || path === undefined ? 'the file' : path.slice(1)}: ${issue?.message ?? 'is not of its form'}`;
}
