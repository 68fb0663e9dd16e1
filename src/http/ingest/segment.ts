import type { z } from 'zod';
import { isClusterEvent, TrackEvent } from '../../domain/kubefirst/telemetry.ts';
import { constraintOf } from '../../util/constraint-of.ts';
import { jsonPointer } from '../../util/json-pointer.ts';
import type { FieldError } from '../server/problem.ts';

/** Segment's HTTP shapes, as far as they matter here: `track` takes an event, `batch` several of several kinds. */

/** What Segment takes: 32 KB for an event, 500 KB for a batch. */
export const MAX_TRACK_BYTES = 32 * 1024;
export const MAX_BATCH_BYTES = 500 * 1024;

/** What was found in a body: the events that say something of a cluster, and what is wrong with others. */
export interface ParsedTrack {
  readonly events: readonly TrackEvent[];
  readonly errors: readonly FieldError[];
}

const NOTHING: ParsedTrack = { events: [], errors: [] };

/** @param pointer where the event stands in the body. */
export function parseTrack(posted: unknown, pointer: string): ParsedTrack {
  if (!isObject(posted)) return wrong(pointer, 'must be an object');
  const { event } = posted;
  if (typeof event !== 'string' || event === '')
    return wrong(`${pointer}/event`, 'must be the name of an event');
  if (!isClusterEvent(event)) return NOTHING;
  const parsed = TrackEvent.safeParse(posted);
  if (parsed.success) return { events: [parsed.data], errors: [] };
  return { events: [], errors: parsed.error.issues.map((issue) => errorOf(issue, pointer)) };
}

export function parseBatch(posted: unknown): ParsedTrack {
  const batch = isObject(posted) ? posted['batch'] : undefined;
  if (!Array.isArray(batch)) return wrong('/batch', 'must be an array of events');
  const parsed = batch.map((each: unknown, i) => parseMember(each, `/batch/${i}`));
  return { events: parsed.flatMap(({ events }) => events), errors: parsed.flatMap(({ errors }) => errors) };
}

/** A batch also holds calls of other kinds, which say nothing here. */
function parseMember(posted: unknown, pointer: string): ParsedTrack {
  if (isObject(posted) && posted['type'] !== undefined && posted['type'] !== 'track') return NOTHING;
  if (Buffer.byteLength(JSON.stringify(posted)) > MAX_TRACK_BYTES)
    return wrong(pointer, `must have at most ${MAX_TRACK_BYTES} bytes`);
  return parseTrack(posted, pointer);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(pointer: string, detail: string): ParsedTrack {
  return { events: [], errors: [{ pointer, detail }] };
}

/** Names the field and what is allowed, and never what stands there: the format is not ours, and it may hold keys. */
function errorOf(issue: z.core.$ZodIssue, pointer: string): FieldError {
  return { pointer: pointer + jsonPointer(issue.path), detail: constraintOf(issue) };
}
