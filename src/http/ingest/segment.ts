/** The HTTP tracking API of Segment, as far as it is needed: `track` posts one event, `batch` posts several calls. */
import type { z } from 'zod';
import { isClusterEvent, TrackEvent } from '../../domain/kubefirst/telemetry.ts';
import { constraintOf } from '../../util/constraint-of.ts';
import { jsonPointer } from '../../util/json-pointer.ts';
import type { FieldError } from '../server/problem.ts';

/** The limits of Segment: 32 KB for an event, 500 KB for a batch. */
export const MAX_TRACK_BYTES = 32 * 1024;
export const MAX_BATCH_BYTES = 500 * 1024;

/** The result of parsing a body: the events about clusters, and the errors in others. */
export interface ParsedTrack {
  readonly events: readonly TrackEvent[];
  readonly errors: readonly FieldError[];
}

const NOTHING: ParsedTrack = { events: [], errors: [] };

/** Parses an event. @param pointer the pointer to the event in the body. */
export function parseTrack(posted: unknown, pointer: string): ParsedTrack {
  if (!isObject(posted)) return invalid(pointer, 'must be an object');
  // A destination of Segment also sends calls of other kinds, such as identify.
  if (posted['type'] !== undefined && posted['type'] !== 'track') return NOTHING;
  const { event } = posted;
  if (typeof event !== 'string' || event === '')
    return invalid(`${pointer}/event`, 'must be the name of an event');
  if (!isClusterEvent(event)) return NOTHING;
  const parsed = TrackEvent.safeParse(posted);
  if (parsed.success) return { events: [parsed.data], errors: [] };
  return { events: [], errors: parsed.error.issues.map((issue) => errorOf(issue, pointer)) };
}

export function parseBatch(posted: unknown): ParsedTrack {
  const batch = isObject(posted) ? posted['batch'] : undefined;
  if (!Array.isArray(batch)) return invalid('/batch', 'must be an array of events');
  const parsed = batch.map((member: unknown, i) => parseMember(member, `/batch/${i}`));
  return { events: parsed.flatMap(({ events }) => events), errors: parsed.flatMap(({ errors }) => errors) };
}

/** Parses a member of a batch. Calls of other kinds than `track` are ignored. */
function parseMember(posted: unknown, pointer: string): ParsedTrack {
  if (isObject(posted) && posted['type'] !== undefined && posted['type'] !== 'track') return NOTHING;
  if (Buffer.byteLength(JSON.stringify(posted)) > MAX_TRACK_BYTES)
    return invalid(pointer, `must have at most ${MAX_TRACK_BYTES} bytes`);
  return parseTrack(posted, pointer);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(pointer: string, detail: string): ParsedTrack {
  return { events: [], errors: [{ pointer, detail }] };
}

/** Names the field and the allowed values, but never the given value: telemetry may contain secrets. */
function errorOf(issue: z.core.$ZodIssue, pointer: string): FieldError {
  return { pointer: pointer + jsonPointer(issue.path), detail: constraintOf(issue) };
}
