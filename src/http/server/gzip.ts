import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { FastifyRequest, RequestPayload } from 'fastify';
import { Problem } from './problem.ts';

/** A stream of a decompressed body. Fastify compares `receivedEncodedLength` with the announced length. */
type Decoded = Readable & { receivedEncodedLength: number };

/**
 * Returns a hook that accepts bodies in gzip too.
 * @param limit maximum size of a body in bytes, both compressed and decompressed.
 */
export function acceptGzip(limit: number) {
  return async (
    { headers }: FastifyRequest,
    _: unknown,
    payload: RequestPayload,
  ): Promise<RequestPayload> => {
    const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
    if (encoding === 'identity') return payload;
    if (encoding !== 'gzip') {
      throw new Problem(
        'unsupported-media-type',
        `the content encoding must be gzip or none; given ${encoding}`,
      );
    }
    const decoded = Object.assign(createGunzip(), { receivedEncodedLength: 0 }) as unknown as Decoded;
    payload.on('data', (chunk: Buffer) => {
      decoded.receivedEncodedLength += chunk.length;
      if (decoded.receivedEncodedLength > limit)
        decoded.destroy(new Problem('too-large', 'the body is larger than this resource allows'));
    });
    payload.on('error', (error) => decoded.destroy(error));
    payload.pipe(decoded as never);
    return decoded as unknown as RequestPayload;
  };
}
