import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import accepts from '@fastify/accepts';
import etag from '@fastify/etag';
import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import underPressure from '@fastify/under-pressure';
import { type FastifyBaseLogger, type FastifyRequest, fastify, LogController } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { App, Rooms } from './app.ts';
import { isOnlyDescribed } from './contract.ts';
import { problemFor, sendProblem } from './errors.ts';
import { fieldErrors } from './fields.ts';
import { invalidRequest, Problem } from './problem.ts';
import { accountRoutes } from './routes/accounts.ts';
import { clusterRoutes } from './routes/clusters.ts';
import { correctionRoutes } from './routes/corrections.ts';
import { eventRoutes } from './routes/events.ts';
import { feedRoutes } from './routes/feed.ts';
import { operationsRoutes } from './routes/operations.ts';
import { rejectedEventRoutes } from './routes/rejected-events.ts';
import { usageRoutes } from './routes/usage.ts';
import { JsonError, parseStrictJson } from './strict-json.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Bytes of the body as it came. */
    bodyBytes: number;
  }
  interface FastifyContextConfig {
    /** Media types that the route takes; by default JSON. */
    mediaTypes?: readonly string[];
  }
}

const BODY_LIMIT = 64 * 1024;
const JSON_ONLY = ['application/json'];

/** Builds the server; it listens to nothing yet. */
export async function buildServer(rooms: Rooms, log: FastifyBaseLogger): Promise<App> {
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: 15_000,
    connectionTimeout: 60_000,
    keepAliveTimeout: 75_000,
    http: {
      headersTimeout: 10_000,
      maxHeaderSize: 16 * 1024,
      connectionsCheckingInterval: 5_000,
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: 512 },
    frameworkErrors: (error, request, reply) => sendProblem(request, reply, problemFor(error)),
    clientErrorHandler: answerMalformedHttp,
  }) as unknown as App;
  app.server.maxConnections = 2_000;

  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, problemFor(error)));
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, noSuchRoute(app, request)));
  app.setValidatorCompiler(({ schema, httpPart }) => {
    if (isOnlyDescribed(schema as object)) return (value: unknown) => ({ value });
    const prefix =
      { querystring: '/query', params: '/path', headers: '/headers', body: '' }[httpPart ?? 'body'] ?? '';
    return (given: unknown) => {
      const parsed = (schema as z.ZodType).safeParse(given);
      if (parsed.success) return { value: parsed.data };
      return { error: invalidRequest(fieldErrors(parsed.error, given, prefix)) };
    };
  });
  app.setSerializerCompiler(() => JSON.stringify);
  parseBodies(app);
  refuseOtherHosts(app);
  closeOnceAnswered(app, rooms);
  observeRequests(app, rooms);
  app.addHook('onRoute', ({ schema }) => {
    // A query parameter that nobody reads is a mistake of the caller's.
    if (schema !== undefined && schema.hide !== true) schema.querystring ??= z.strictObject({});
  });

  await app.register(accepts);
  await app.register(etag, { algorithm: 'sha256' });
  await app.register(helmet, {
    contentSecurityPolicy: { directives: { 'upgrade-insecure-requests': null } },
    hsts: false,
  });
  await app.register(underPressure, {
    maxEventLoopDelay: 2_000,
    retryAfter: 2,
    pressureHandler: () => {
      throw new Problem('overloaded', 'the ledger is busy; nothing was recorded', { retryAfterSeconds: 2 });
    },
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'cluster-ledger',
        version: rooms.version,
        description: 'What customers of a Kubernetes platform are charged for their clusters, and why.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true });

  for (const routes of [
    eventRoutes,
    correctionRoutes,
    clusterRoutes,
    accountRoutes,
    usageRoutes,
    feedRoutes,
    rejectedEventRoutes,
    operationsRoutes,
  ]) {
    routes(app, rooms);
  }
  return app;
}

/** Times requests by route, never by URL. */
function observeRequests(app: App, { metrics }: Rooms): void {
  app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    const labels = { method, route: routeOptions.url ?? 'none', status: String(reply.statusCode) };
    metrics.requestSeconds.observe(labels, reply.elapsedTime / 1_000);
  });
}

function parseBodies(app: App): void {
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
      const errors = error instanceof JsonError ? [{ pointer: error.pointer, detail: error.message }] : [];
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

/** Closing waits for what is being answered, and neither for news nor for clients that have stopped in the middle. */
function closeOnceAnswered(app: App, { projections }: Rooms): void {
  const answering = new Set<string>();
  let isClosing = false;
  const letGo = () => {
    if (isClosing && answering.size === 0) app.server.closeAllConnections();
  };
  app.addHook('preHandler', async ({ id }) => void answering.add(id));
  app.addHook('onResponse', async ({ id }) => {
    answering.delete(id);
    setImmediate(letGo);
  });
  app.addHook('preClose', async () => {
    isClosing = true;
    projections.stopWaiting();
    setImmediate(letGo);
  });
}

/** Only loopback is served, so a request for another name comes from a page that had its name point here. */
function refuseOtherHosts(app: App): void {
  app.addHook('onRequest', async ({ hostname, headers, raw }) => {
    if (headers.host === undefined && raw.httpVersion === '1.1') {
      throw new Problem('malformed-http', 'a request needs a Host header');
    }
    if (/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(hostname)) return;
    throw new Problem(
      'wrong-host',
      `this ledger serves its own machine only; the request is for ${hostname}`,
    );
  });
}

function noSuchRoute(app: App, { method, url }: FastifyRequest): Problem {
  const [path = ''] = url.split('?');
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'] as const;
  const allow = methods.filter(
    (other) => other !== method && app.findRoute({ method: other, url: path }) !== null,
  );
  return allow.length > 0
    ? new Problem('method-not-allowed', `${path} takes ${allow.join(', ')}`, { allow })
    : new Problem('not-found', `there is no ${method} ${path}`);
}

/** What Node refuses before there is a request: answered with a problem too, and the connection closed. */
function answerMalformedHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return;
  const problem =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new Problem('headers-too-large', 'the headers may have 16 KiB')
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? new Problem('request-timeout', 'the request did not arrive in time')
        : new Problem('malformed-http', `the request cannot be read: ${error.message}`);
  const body = JSON.stringify(problem.document(randomUUID()));
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.document().title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
