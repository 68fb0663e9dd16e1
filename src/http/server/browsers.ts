/** Protection from web pages: a browser sends requests to the ledger for any page that it shows, also to loopback addresses. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from './app.ts';
import { Problem } from './problem.ts';
import { varyBy } from './vary.ts';

/** Methods that change nothing (RFC 9110, section 9.2.1). */
const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

/** Policy of the documentation page. It also holds on plain HTTP: nothing is upgraded to HTTPS, and nothing comes from elsewhere. */
export const DOCUMENTATION_POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
} as const;

/** Headers that pages of allowed origins may read, besides those that browsers always show. */
const EXPOSED = 'Content-Disposition, ETag, Ledger-Position, Link, Location, Retry-After, WWW-Authenticate';
const PREFLIGHT_SECONDS = '600';

/**
 * Rejects requests that would change something and that a browser sends for a page of another origin. Browsers name the origin in
 * `Origin`, and its relation in `Sec-Fetch-Site`; pages cannot change these headers, and other clients do not send them.
 * @param allowedOrigins the origins whose pages may do what their credential allows; they also get the headers of CORS.
 */
export function rejectForeignPages(app: App, allowedOrigins: readonly string[]): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { origin, 'sec-fetch-site': site } = request.headers;
    if (allowedOrigins.length > 0) varyBy(reply, 'origin');
    if (origin !== undefined && allowedOrigins.includes(origin)) {
      allowReading(origin, request, reply);
      return done();
    }
    if (SAFE_METHODS.includes(request.method)) return done();
    const isForeign = origin !== undefined && hostOf(origin) !== request.host.toLowerCase();
    if (!isForeign && site !== 'cross-site' && site !== 'same-site') return done();
    const sender =
      origin === undefined ? `of another site (Sec-Fetch-Site: ${site})` : `of the origin ${origin}`;
    const detail = `a page ${sender} may not change anything here; http.allowedOrigins names the origins that may`;
    return done(new Problem('foreign-origin', detail));
  });
}

/**
 * Rejects a request that would change something in a session unless a page of the ledger, or of an allowed origin, sends it. Every
 * browser names the origin of such a request.
 * @throws Problem `foreign-origin`
 */
export function requirePage({ method, headers }: Pick<FastifyRequest, 'method' | 'headers'>): void {
  const { origin, 'sec-fetch-site': site } = headers;
  // Foreign pages have been rejected already.
  if (SAFE_METHODS.includes(method) || origin !== undefined || site === 'same-origin') return;
  const detail =
    'a change in a session needs the header Origin, which browsers send; programs send an API key';
  throw new Problem('foreign-origin', detail);
}

/** Returns the host and port of an origin; `undefined` for the opaque origin `null`. */
function hostOf(origin: string): string | undefined {
  return URL.parse(origin)?.host;
}

/** Lets the page read the answer, and answers the question of the browser before requests that are not simple (Fetch, CORS). */
function allowReading(origin: string, { headers, method }: FastifyRequest, reply: FastifyReply): void {
  reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', EXPOSED);
  const asked = headers['access-control-request-method'];
  if (method !== 'OPTIONS' || asked === undefined) return;
  reply.header('access-control-allow-methods', asked).header('access-control-max-age', PREFLIGHT_SECONDS);
  const names = headers['access-control-request-headers'];
  if (names !== undefined) reply.header('access-control-allow-headers', names);
}
