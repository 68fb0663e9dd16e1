import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isBinaryMode } from '../ingest/binary-mode.ts';
import { isMediaType } from '../params/media-type.ts';
import type { App } from './app.ts';
import { decoded } from './gzip.ts';
import { Problem } from './problem.ts';
import { JsonError, JsonTooLarge, parseJsonItems, parseStrictJson } from './strict-json.ts';

const JSON_ONLY = ['application/json'];
const BATCH = 'application/cloudevents-batch+json';

/** Parses bodies as strict JSON. Rejects media types that the route does not accept. */
export function parseBodies(app: App): void {
  app.decorateRequest('bodyBytes', 0);
  app.decorateRequest('jsonItems');
  app.removeAllContentTypeParsers();
  const mediaTypes = ['application/json', 'application/cloudevents+json', BATCH];
  app.addContentTypeParser(mediaTypes, { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer;
    const { judgesItems, maxItemBytes } = request.routeConfig;
    if (bytes.length === 0 && mayBeMissing(request)) return done(null, undefined);
    try {
      request.bodyBytes = bytes.length;
      if (judgesItems !== true) return done(null, parseStrictJson(bytes));
      const isBatch = isMediaType(request.headers['content-type'], [BATCH]);
      request.jsonItems = parseJsonItems(bytes, isBatch ? 'list' : 'whole', maxItemBytes);
      return done(null, request.jsonItems.value);
    } catch (error) {
      return done(malformedJson(error as Error));
    }
  });
  app.addHook('preParsing', (request, _, payload, done) => {
    const { headers, routeConfig } = request;
    const contentType = headers['content-type'];
    const allowed = routeConfig.mediaTypes ?? JSON_ONLY;
    if (contentType === undefined || isMediaType(contentType, allowed)) {
      // A request without a body has ended before anybody reads it (`optimizeEmptyRequests`).
      const isEmpty = contentType !== undefined && (payload as Readable).readableEnded;
      const body = isEmpty ? Readable.from([]) : payload;
      const contentEncoding = headers['content-encoding'];
      if (contentEncoding === undefined) return done(null, body);
      return done(null, decoded(body, contentEncoding, request.routeOptions.bodyLimit));
    }
    const detail = `the content type must be ${allowed.join(' or ')}, in UTF-8; given ${contentType}`;
    throw new Problem('unsupported-media-type', detail);
  });
}

/** Returns whether a request may have no body although it names a content type, as many libraries do. */
function mayBeMissing({ raw, headers, routeOptions }: FastifyRequest): boolean {
  const { body } = routeOptions.schema ?? {};
  if (body instanceof z.ZodType && body.isOptional()) return true;
  // In binary mode, an event without data has no body.
  return isBinaryMode(raw) && isMediaType(headers['content-type'], JSON_ONLY);
}

/** Returns the problem of JSON that cannot be accepted. @param at pointer to the JSON within the event or body */
export function malformedJson(error: Error, at = ''): Problem {
  const errors = error instanceof JsonError ? [{ pointer: at + error.pointer, detail: error.message }] : [];
  return new Problem(error instanceof JsonTooLarge ? 'too-large' : 'malformed-json', error.message, {
    errors,
  });
}
