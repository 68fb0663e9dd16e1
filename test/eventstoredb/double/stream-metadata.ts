import { HIGHEST_REVISION, isMetastream, type LogEvent } from './records.ts';

/** The part of a stream's metadata that limits which of its events can be read. */
export interface StreamMetadata {
  /** `null` if the stream was soft-deleted. */
  readonly truncateBefore: bigint | null;
  readonly maxCount: bigint | undefined;
  readonly maxAgeMs: number | undefined;
}

const NOTHING_HIDDEN: StreamMetadata = { truncateBefore: 0n, maxCount: undefined, maxAgeMs: undefined };

/** A metadata stream shows its last document only, whatever anybody writes. */
const LAST_ONLY: StreamMetadata = { ...NOTHING_HIDDEN, maxCount: 1n };

/** The document a soft delete writes: spelled out, because the number is too large for JSON.stringify. */
export const SOFT_DELETED_DOCUMENT = `{"$tb":${HIGHEST_REVISION}}`;

/** @param last the last event of the stream's metadata stream. */
export function readMetadata(stream: string, last: LogEvent | undefined): StreamMetadata {
  if (isMetastream(stream)) return LAST_ONLY;
  if (last === undefined) return NOTHING_HIDDEN;
  const document = parseDocument(last.data);
  const { $tb, $maxCount, $maxAge } = document;
  return {
    truncateBefore: readTruncateBefore($tb),
    maxCount: typeof $maxCount === 'number' ? BigInt($maxCount) : undefined,
    maxAgeMs: typeof $maxAge === 'number' ? $maxAge * 1_000 : undefined,
  };
}

/** The metadata a soft-deleted stream gets when it is written again: all as before, except its start. */
export function undeleted(document: Uint8Array, startsAt: bigint): Uint8Array {
  return Buffer.from(JSON.stringify({ ...parseDocument(document), $tb: Number(startsAt) }));
}

function readTruncateBefore(value: unknown): bigint | null {
  if (typeof value !== 'number') return 0n;
  return value >= Number(HIGHEST_REVISION) ? null : BigInt(value);
}

/** Metadata that is not a JSON object hides nothing. */
function parseDocument(data: Uint8Array): Record<string, unknown> {
  try {
    const document: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
    return typeof document === 'object' && document !== null ? { ...document } : {};
  } catch {
    return {};
  }
}
