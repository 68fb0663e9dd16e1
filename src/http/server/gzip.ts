import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { RequestPayload } from 'fastify';
import { bodyTooLarge, Problem } from './problem.ts';

/** A stream of a decompressed body. Fastify compares `receivedEncodedLength` with the announced length. */
type Decoded = Readable & { receivedEncodedLength: number };

/**
 * Returns the body of a request without its content coding, which may be gzip. Fastify limits the decompressed size.
 * @param limit maximum size of the compressed body in bytes.
 * @throws Problem `unsupported-media-type` for another content coding
 */
export function decoded(payload: RequestPayload, contentEncoding = '', limit: number): RequestPayload {
  if (contentEncoding === '') return payload;
  const codings = contentEncoding
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length === 0) return payload;
  if (codings.length > 1 || !/^(x-)?gzip$/.test(codings[0] as string)) {
    throw new Problem(
      'unsupported-media-type',
      `the content encoding must be gzip or none; given ${contentEncoding}`,
      // RFC 9110, section 15.5.16.
      { headers: { 'accept-encoding': 'gzip' } },
    );
  }
  const body = Object.assign(createGunzip(), { receivedEncodedLength: 0 }) as unknown as Decoded;
  payload.on('data', (chunk: Buffer) => {
    body.receivedEncodedLength += chunk.length;
    if (body.receivedEncodedLength > limit) body.destroy(bodyTooLarge(limit));
  });
  payload.on('error', (error) => body.destroy(error));
  payload.pipe(body as never);
  return body as unknown as RequestPayload;
}
