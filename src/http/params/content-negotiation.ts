import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Answer, answer, type Examples } from '../contract.ts';
import type { HeaderName } from '../openapi/headers.ts';
import { Problem } from '../server/problem.ts';
import { varyBy } from '../server/vary.ts';

/** The pieces of an answer in each form. Only those of the form that is sent are computed. */
export interface PiecesOfForms {
  json(): AsyncIterable<string>;
  csv(): AsyncIterable<string>;
  /** Lines of JSON, each with its end. */
  ndjson(): AsyncIterable<string>;
}

export interface Forms {
  /** An object, or its text. */
  json(): object | string;
  csv(): string;
  items(): readonly object[];
}

/**
 * Declares an answer that is available as JSON, CSV and NDJSON. The document has JSON as its content and names the others in
 * words and as `x-other-forms`: a client that is made from it gets objects, not objects or text.
 */
export function inAllForms<T extends z.ZodType>(
  description: string,
  schema: T,
  lines: z.ZodType<string>,
  { headers = [], examples }: { readonly headers?: readonly HeaderName[]; readonly examples?: Examples } = {},
): Answer<T | z.ZodString> {
  return answer(
    `${description} With \`Accept: text/csv\` as a table, with \`Accept: application/x-ndjson\` as a line of JSON for each item.`,
    schema,
    {
      headers,
      ...(examples !== undefined && { examples }),
      otherForms: { 'text/csv': z.string(), 'application/x-ndjson': lines },
    },
  );
}

/**
 * The form of an answer for each content type: JSON, a table, or a line of JSON per item. A media range with parameters matches
 * the content type that has them (RFC 9110, section 12.5.1). Lines of JSON have no registered media type, but several names.
 */
const FORMS = {
  'application/json; charset=utf-8': 'json',
  'text/csv; charset=utf-8; header=present': 'csv',
  'application/x-ndjson; charset=utf-8': 'ndjson',
  'application/ndjson; charset=utf-8': 'ndjson',
  'application/jsonl; charset=utf-8': 'ndjson',
  'application/x-jsonlines; charset=utf-8': 'ndjson',
} as const;
/** The form of an answer that a request accepts. */
export type Form = (typeof FORMS)[keyof typeof FORMS];
const CONTENT_TYPES = Object.keys(FORMS) as (keyof typeof FORMS)[];
const NAMES = 'application/json, text/csv, application/x-ndjson';

/** The content types of the first values of `Accept`. Choosing one takes a twentieth of a small answer, and clients send few values. */
const accepted = new Map<string | undefined, keyof typeof FORMS | false>();
const MAX_KNOWN = 100;
const MAX_KNOWN_LENGTH = 200;

/** Returns the content type that the request accepts; `false` if it accepts none. */
function acceptedType(request: FastifyRequest): keyof typeof FORMS | false {
  const { accept } = request.headers;
  const known = accepted.get(accept);
  if (known !== undefined) return known;
  const chosen = request.accepts().type(CONTENT_TYPES) as keyof typeof FORMS | false;
  if (accepted.size < MAX_KNOWN && (accept?.length ?? 0) <= MAX_KNOWN_LENGTH) accepted.set(accept, chosen);
  return chosen;
}

/** Returns whether the request is answered in JSON. */
export function acceptsJson(request: FastifyRequest): boolean {
  const type = acceptedType(request);
  return type !== false && FORMS[type] === 'json';
}

/** Returns the form that the request accepts, and sets the headers `Content-Type` and `Vary`. @throws Problem `not-acceptable` */
export function acceptedForm(request: FastifyRequest, reply: FastifyReply): Form {
  varyBy(reply, 'accept');
  const contentType = acceptedType(request);
  if (contentType === false) throw new Problem('not-acceptable', `accept one of ${NAMES}`);
  reply.type(contentType);
  return FORMS[contentType];
}

/**
 * Sends the answer in the form that the request accepts.
 * @param etagOf returns the ETag of a form; by default, and if there is none, it is that of the text.
 * @throws Problem `not-acceptable`
 */
export function sendAccepted(
  request: FastifyRequest,
  reply: FastifyReply,
  forms: Forms,
  etagOf?: (form: Form) => string | undefined,
): FastifyReply {
  const form = acceptedForm(request, reply);
  const etag = etagOf?.(form);
  if (etag !== undefined) reply.header('etag', etag);
  switch (form) {
    case 'json':
      return reply.send(forms.json());
    case 'csv':
      return reply.send(forms.csv());
    case 'ndjson':
      return reply.send(
        forms
          .items()
          .map((item) => `${JSON.stringify(item)}\n`)
          .join(''),
      );
  }
}
