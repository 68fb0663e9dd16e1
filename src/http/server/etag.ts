import { createHash, hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { EventLoopYielder } from '../../util/event-loop-yielder.ts';
import type { App } from './app.ts';
import { varyBy } from './vary.ts';

/** Content codings that answers may have. Each coding of an answer has an ETag of its own. */
export const CODINGS = ['zstd', 'br', 'gzip'] as const;
/** Size from which on answers are compressed, in bytes. */
export const MIN_COMPRESSED_BYTES = 1_024;

/**
 * Adds a strong ETag to answers of GET and HEAD that have none, and answers 304 if the client has the same one (RFC 9110,
 * sections 8.8.3, 13.1.2 and 15.4.5).
 */
export function tagAnswers(app: App): void {
  app.addHook('onSend', (request, reply, payload: unknown, done) => {
    if (!['GET', 'HEAD'].includes(request.method) || reply.statusCode !== 200) return done(null, payload);
    if (mayBeCompressed(payload)) varyBy(reply, 'accept-encoding');
    const own = reply.getHeader('etag');
    const tag = typeof own === 'string' ? own : typeof payload === 'string' ? tagOf(payload) : undefined;
    if (tag === undefined) return done(null, payload);
    reply.header('etag', tag);
    const known = knownTag(tag, request.headers['if-none-match']);
    if (known === undefined) return done(null, payload);
    reply.code(304).header('etag', known).removeHeader('content-type').removeHeader('content-length');
    if (isStream(payload)) payload.destroy();
    // Of a HEAD, Fastify itself drops the body.
    return done(null, request.method === 'HEAD' && typeof payload === 'string' ? payload : null);
  });
}

/**
 * Makes the ETag of a compressed answer that of its content coding (RFC 9110, section 8.8.3.3). Register it after the
 * compression.
 */
export function tagCodings(app: App): void {
  app.addHook('onRoute', (route) => {
    const own = route.onSend === undefined ? [] : [route.onSend].flat();
    route.onSend = [
      ...own,
      (_, reply: FastifyReply, payload: unknown, done: (error: null, payload: unknown) => void) => {
        const coding = reply.getHeader('content-encoding');
        const tag = reply.getHeader('etag');
        if (typeof coding === 'string' && typeof tag === 'string' && !tag.endsWith(`-${coding}"`))
          reply.header('etag', tagOfCoding(tag, coding));
        done(null, payload);
      },
    ];
  });
}

/** Returns the strong ETag of a text. */
export function tagOf(text: string): string {
  return `"${hash('sha256', text, 'base64url')}"`;
}

/**
 * Returns the strong ETag of an answer of many parts, which are hashed one by one. For figures, leave out the position: every fact
 * of any account moves that.
 */
export async function tagOfParts(
  about: object,
  parts: readonly object[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const digest = createHash('sha256').update(JSON.stringify(about));
  const yielder = new EventLoopYielder(signal);
  for (const part of parts) {
    digest.update(JSON.stringify(part));
    if (yielder.isDue) await yielder.yield();
  }
  return `"${digest.digest('base64url')}"`;
}

/** Returns whether the form of an answer depends on the content codings that the client accepts. */
function mayBeCompressed(payload: unknown): boolean {
  if (typeof payload === 'string') return Buffer.byteLength(payload) >= MIN_COMPRESSED_BYTES;
  return payload !== null && payload !== undefined;
}

function tagOfCoding(tag: string, coding: string): string {
  return tag.replace(/"$/, `-${coding}"`);
}

function isStream(payload: unknown): payload is Readable {
  return typeof (payload as Readable | null | undefined)?.destroy === 'function';
}

/**
 * Returns the ETag in a list that names the answer in some content coding. Compares weakly, as RFC 9110 requires for
 * If-None-Match.
 */
function knownTag(tag: string, header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const tags = [tag, ...CODINGS.map((coding) => tagOfCoding(tag, coding))];
  const items = header.split(',').map((item) => item.trim().replace(/^W\//, ''));
  return items.includes('*') ? tag : items.find((item) => tags.includes(item));
}
