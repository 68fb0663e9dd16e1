import { hash } from 'node:crypto';
import type { App } from './app.ts';

/** Adds a strong ETag to answers of GET that have none, and answers 304 if the client has the same one (RFC 9110, sections 8.8.3 and 13.1.2). */
export function tagAnswers(app: App): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const isTagged = request.method === 'GET' && reply.statusCode === 200 && typeof payload === 'string';
    if (!isTagged) return done(null, payload);
    const own = reply.getHeader('etag');
    const tag = typeof own === 'string' ? own : tagOf(payload);
    reply.header('etag', tag);
    if (!isAmong(tag, request.headers['if-none-match'])) return done(null, payload);
    reply.code(304);
    return done(null, '');
  });
}

/** Returns the strong ETag of a text. */
export function tagOf(text: string): string {
  return `"${hash('sha256', text, 'base64url')}"`;
}

/** Compares weakly, as RFC 9110 requires for If-None-Match. The header may hold a list. */
function isAmong(tag: string, header: string | undefined): boolean {
  if (header === undefined) return false;
  return header.split(',').some((item) => item.trim() === '*' || item.trim().replace(/^W\//, '') === tag);
}
