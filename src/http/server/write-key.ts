import { hash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';

/**
 * Returns a hook that requires a write key the way Segment's libraries send it: as the user name of basic authentication,
 * without a password.
 * @param writeKey `undefined` to accept every request, as all other routes do on a loopback address.
 */
export function requireWriteKey(writeKey: string | undefined) {
  const expected = writeKey === undefined ? undefined : digest(writeKey);
  return async ({ headers }: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (expected === undefined || timingSafeEqual(digest(userOf(headers.authorization)), expected)) return;
    reply.header('www-authenticate', 'Basic realm="cluster-ledger", charset="UTF-8"');
    throw new Problem('unauthenticated', 'the write key must be the user name of basic authentication');
  };
}

function userOf(authorization: string | undefined): string {
  const [, credentials] = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '') ?? [];
  return (
    Buffer.from(credentials ?? '', 'base64')
      .toString('utf8')
      .split(':', 1)[0] ?? ''
  );
}

/** Returns a digest of fixed length, so that the comparison takes constant time. */
function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
