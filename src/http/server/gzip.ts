import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { FastifyRequest, RequestPayload } from 'fastify';
import { Problem } from './problem.ts';

/** A body that is taken apart on the way in: Fastify compares what came with the announced length. */
type Decoded = Readable & { receivedEncodedLength: number };

/**
 * Lets a resource take bodies in gzip too. What they hold counts towards the limit as it does without, and is not taken
 * apart any further.
 * @param limit bytes that a body may have, packed or not.
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
        decoded.destroy(new Problem('too-large', 'the body is larger than this resource takes'));
    });
    payload.on('error', (error) => decoded.destroy(error));
    payload.pipe(decoded as never);
    return decoded as unknown as RequestPayload;
  };
}
