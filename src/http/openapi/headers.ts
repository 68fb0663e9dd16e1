/** The headers of answers, as the OpenAPI document describes them. */

/** Headers that keep browsers from executing or embedding an answer. The documentation page has its own policy. */
export const SECURITY_HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

const text = { type: 'string' };

/** Every header that an answer may have, besides those of HTTP itself: `Date`, `Connection`, `Content-Length` and so on. */
export const HEADERS = {
  'Accept-Encoding': {
    description: 'The content codings that a body may have (RFC 9110, section 15.5.16).',
    schema: text,
  },
  'Access-Control-Allow-Origin': {
    description: 'The origin of the page that may read the answer, if `http.allowedOrigins` has it.',
    schema: text,
  },
  'Access-Control-Expose-Headers': {
    description: 'The headers that a page of an allowed origin may read.',
    schema: text,
  },
  'Cache-Control': { description: 'Whether and how long the answer may be stored (RFC 9111).', schema: text },
  'Content-Disposition': { description: 'The name under which to save the answer.', schema: text },
  'Content-Security-Policy': { description: 'Keeps browsers from executing the answer.', schema: text },
  'Cross-Origin-Resource-Policy': {
    description: 'Keeps other sites from embedding the answer.',
    schema: text,
  },
  ETag: {
    description: 'The version of the answer. Send it as `If-None-Match` to get 304 if nothing has changed.',
    schema: text,
  },
  'Ledger-Position': {
    description: 'Position of the last event of the log that the answer may take into account.',
    schema: { type: 'string', pattern: '^(0|[1-9]\\d{0,14})$' },
  },
  Link: {
    description: 'The next page, as `<…>; rel="next"` (RFC 8288). Absent on the last page.',
    schema: text,
  },
  Location: { description: 'The path of the resource that the request began.', schema: text },
  'Referrer-Policy': { description: 'Keeps browsers from telling other sites the address.', schema: text },
  'Retry-After': {
    description: 'Seconds to wait before the same request is sent again.',
    schema: { type: 'integer', minimum: 0 },
  },
  'Set-Cookie': { description: 'The cookie of a session or of a sign-in, or its removal.', schema: text },
  Vary: { description: 'The request headers that decide about the form of the answer.', schema: text },
  'WWW-Authenticate': { description: 'How to authenticate (RFC 9110, section 11.6.1).', schema: text },
  'X-Accel-Buffering': { description: 'Keeps proxies from collecting events.', schema: text },
  'X-Content-Type-Options': { description: 'Keeps browsers from guessing the media type.', schema: text },
} as const satisfies Record<string, { readonly description: string; readonly schema: object }>;
export type HeaderName = keyof typeof HEADERS;

/** Headers that every answer may have. */
export const HEADERS_OF_ALL = (Object.keys(HEADERS) as HeaderName[]).filter(
  (name) =>
    Object.hasOwn(SECURITY_HEADERS, name.toLowerCase()) ||
    name === 'Cache-Control' ||
    name === 'Vary' ||
    name.startsWith('Access-Control-'),
);
