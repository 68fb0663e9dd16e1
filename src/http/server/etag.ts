import { hash } from 'node:crypto';
import type { App } from './app.ts';

/** Gives answers to GET a strong ETag, and answers `304` where the client has the same (RFC 9110, sections 8.8.3 and 13.1.2). */
export function tagAnswers(app: App): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const isTagged = request.method === 'GET' && reply.statusCode === 200 && typeof payload === 'string';
    if (!isTagged) return done(null, payload);
    const tag = `"${hash('sha256', payload, 'base64url')}"`;
    reply.header('etag', tag);
    if (!isAmong(tag, request.headers['if-none-match'])) return done(null, payload);
    reply.code(304);
    return done(null, '');
  });
}

/** Weak comparison, as If-None-Match has it; the header may hold a list. */
function isAmong(tag: string, header: string | undefined): boolean {
  if (header === undefined) return false;
  return header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === tag);
}
