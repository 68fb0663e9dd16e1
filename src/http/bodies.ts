import type { App } from './app.ts';
import { isBinaryMode } from './binary-mode.ts';
import { Problem } from './problem.ts';
import { JsonError, parseStrictJson } from './strict-json.ts';

const JSON_ONLY = ['application/json'];

/** Reads bodies of the media types that a route takes, and no others, as strict JSON. */
export function parseBodies(app: App): void {
  app.decorateRequest('bodyBytes', 0);
  app.removeAllContentTypeParsers();
  const mediaTypes = [
    'application/json',
    'application/cloudevents+json',
    'application/cloudevents-batch+json',
  ];
  app.addContentTypeParser(mediaTypes, { parseAs: 'buffer' }, (request, body, done) => {
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
  app.addHook('preParsing', async ({ headers, routeOptions }) => {
    const contentType = headers['content-type'];
    if (contentType === undefined) return;
    const [mediaType = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
    const allowed = routeOptions.config.mediaTypes ?? JSON_ONLY;
    const isUtf8 = parameters.every((parameter) => /^(charset="?utf-8"?)?$/.test(parameter));
    if (allowed.includes(mediaType) && isUtf8) return;
    throw new Problem(
      'unsupported-media-type',
      `the content type must be ${allowed.join(' or ')}, in UTF-8; given ${contentType}`,
    );
  });
}
