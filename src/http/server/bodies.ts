import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isBinaryMode } from '../ingest/binary-mode.ts';
import type { App } from './app.ts';
import { Problem } from './problem.ts';
import { JsonError, parseStrictJson } from './strict-json.ts';

const JSON_ONLY = ['application/json'];

/** Parses bodies as strict JSON. Rejects media types that the route does not accept. */
export function parseBodies(app: App): void {
  app.decorateRequest('bodyBytes', 0);
  app.removeAllContentTypeParsers();
  const mediaTypes = [
    'application/json',
    'application/cloudevents+json',
    'application/cloudevents-batch+json',
  ];
  app.addContentTypeParser(mediaTypes, { parseAs: 'buffer' }, (request, body, done) => {
    // Clients announce JSON even if they send no body.
    if (body.length === 0 && mayBeMissing(request)) return done(null);
    try {
      request.bodyBytes = body.length;
      done(null, parseStrictJson(body as Buffer));
    } catch (error) {
      const isData =
        isBinaryMode(request.raw) && request.headers['content-type']?.startsWith('application/json');
      const errors =
        error instanceof JsonError
          ? [{ pointer: `${isData === true ? '/data' : ''}${error.pointer}`, detail: error.message }]
          : [];
      done(new Problem('malformed-json', (error as Error).message, { errors }));
    }
  });
  app.addHook('preParsing', ({ headers, routeOptions }, _, payload, done) => {
    const contentType = headers['content-type'];
    const allowed = routeOptions.config.mediaTypes ?? JSON_ONLY;
    if (contentType === undefined || isAmong(contentType, allowed)) return done(null, payload);
    const detail = `the content type must be ${allowed.join(' or ')}, in UTF-8; given ${contentType}`;
    return done(new Problem('unsupported-media-type', detail));
  });
}

function mayBeMissing({ routeOptions }: FastifyRequest): boolean {
  const body = routeOptions.schema?.body;
  return body instanceof z.ZodType && body.isOptional();
}

function isAmong(contentType: string, allowed: readonly string[]): boolean {
  if (allowed.includes(contentType)) return true;
  const [mediaType = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  return (
    allowed.includes(mediaType) && parameters.every((parameter) => /^(charset="?utf-8"?)?$/.test(parameter))
  );
}
