import { cloudEventType, factTypeOf, LEDGER_SOURCE } from '../../domain/facts/cloud-event.ts';
import type { JsonObject } from '../../eventstore/json.ts';
import type { Submission } from '../../ledger/submission.ts';
import { fieldErrors } from '../params/fields.ts';
import { type FieldError, invalidRequest, Problem } from '../server/problem.ts';
import { JsonError, parseStrictJson } from '../server/strict-json.ts';
import { parseCloudEvent, submissionOf } from './cloud-event-envelope.ts';

/** Maximum size of an event. With the metadata of the ledger or the problem of a rejected event, it stays below the 65,535 bytes of a log entry. */
export const MAX_EVENT_BYTES = 60 * 1024;

/** Maximum ratio of the size of the canonical JSON to the size of the body: `1e20` is written as 21 digits. */
const LARGEST_EXPANSION = 6;

/**
 * Parses one event.
 * @param options.bodyBytes size of the text of the event; absent if it is not known.
 * @param options.mayBeOwn whether the source may be that of the ledger, whose rejected events can be retried too.
 * @returns the submission, or the problem that names the invalid fields.
 */
export function parseEvent(
  posted: unknown,
  actor: string,
  {
    bodyBytes = Number.POSITIVE_INFINITY,
    mayBeOwn = false,
  }: { readonly bodyBytes?: number; readonly mayBeOwn?: boolean } = {},
): Submission | Problem {
  const event = unpacked(posted);
  if (event instanceof Problem) return event;
  const parsed = parseCloudEvent(event);
  if (!parsed.success) {
    const version = otherVersion(event);
    const errors = version === undefined ? fieldErrors(parsed.error, event).map(aboutSubject) : [version];
    return invalidRequest(errors);
  }
  if (!mayBeOwn && parsed.data.source.startsWith(LEDGER_SOURCE)) {
    const detail = `must not begin with ${LEDGER_SOURCE}, which is reserved for the ledger; given ${parsed.data.source}`;
    return invalidRequest([{ pointer: '/source', detail }]);
  }
  if (bodyBytes > MAX_EVENT_BYTES / LARGEST_EXPANSION) {
    const bytes = Buffer.byteLength(JSON.stringify(posted));
    const detail = `an event may have at most ${MAX_EVENT_BYTES} bytes; this event has ${bytes}`;
    if (bytes > MAX_EVENT_BYTES) return new Problem('too-large', detail);
  }
  return submissionOf(parsed.data, posted as JsonObject, actor);
}

/**
 * Returns the event as the ledger reads it: an attribute that is null is absent (CloudEvents JSON event format, section 2.2),
 * and data in `data_base64` is decoded (section 3.1.2).
 */
function unpacked(posted: unknown): unknown {
  if (typeof posted !== 'object' || posted === null || Array.isArray(posted) || !isPacked(posted))
    return posted;
  const event = Object.fromEntries(Object.entries(posted).filter(([, value]) => value !== null));
  const { data_base64: encoded, ...others } = event;
  if (encoded === undefined) return event;
  if ('data' in others) return invalidBase64('must not stand beside data');
  if (typeof encoded !== 'string') return invalidBase64(`must be text in base64; given ${typeof encoded}`);
  const bytes = Buffer.from(encoded, 'base64');
  // Buffer skips what is not base64.
  if (bytes.toString('base64') !== encoded) return invalidBase64('must be base64 with padding');
  try {
    return { ...others, data: parseStrictJson(bytes) };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return invalidBase64(`must be JSON in base64; ${error.message.replace('the body', 'the decoded text')}`);
  }
}

/** Returns whether an event is not as the ledger reads it. Almost no event is: only then a copy is needed. */
function isPacked(posted: object): boolean {
  for (const name in posted)
    if (name === 'data_base64' || (posted as Readonly<Record<string, unknown>>)[name] === null) return true;
  return false;
}

function invalidBase64(detail: string): Problem {
  return invalidRequest([{ pointer: '/data_base64', detail }]);
}

/** Returns the error of an event of a known type in a version that this release does not know. */
function otherVersion(event: unknown): FieldError | undefined {
  const type = (event as { type?: unknown } | null | undefined)?.type;
  const [, name, version] = /^(io\.clusterledger\.[a-z.-]+)\.v(\d+)$/.exec(String(type)) ?? [];
  const known = version === '1' ? undefined : factTypeOf(`${name}.v1`);
  if (known === undefined) return undefined;
  const detail = `this release of the ledger knows ${cloudEventType(known)}, not its version ${version}; upgrade the ledger, or post version 1; given ${type}`;
  return { pointer: '/type', detail };
}

/** Says of an invalid subject what the subject is. */
function aboutSubject(error: FieldError): FieldError {
  if (error.pointer !== '/subject') return error;
  return { ...error, detail: `is the id of the cluster and ${error.detail}` };
}
