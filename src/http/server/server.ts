import { randomUUID } from 'node:crypto';
import accepts from '@fastify/accepts';
import compress from '@fastify/compress';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import underPressure from '@fastify/under-pressure';
import { type FastifyBaseLogger, fastify, LogController } from 'fastify';
import { z } from 'zod';
import { limitRates } from '../access/rate-limits.ts';
import { requireAccess } from '../access/require-access.ts';
import { requireOwn } from '../access/require-own.ts';
import { watchAnswers } from '../access/watch-answers.ts';
import { readConsolePage } from '../console/console-page.ts';
import { isOnlyDescribed } from '../contract.ts';
import { contractHooks } from '../openapi/document.ts';
import { SECURITY_HEADERS } from '../openapi/headers.ts';
import { DESCRIPTION, SECURITY_SCHEMES, SERVERS, TAGS } from '../openapi/info.ts';
import { fieldErrors } from '../params/fields.ts';
import { accountRoutes } from '../routes/accounts.ts';
import { alertRoutes } from '../routes/alerts.ts';
import { beginningRoutes } from '../routes/beginning.ts';
import { clockRoutes } from '../routes/clock.ts';
import { clusterRoutes } from '../routes/clusters.ts';
import { consoleRoutes } from '../routes/console.ts';
import { correctionRoutes } from '../routes/corrections.ts';
import { deletionListRoutes } from '../routes/deletion-list.ts';
import { deletionRoutes } from '../routes/deletions.ts';
import { diffRoutes } from '../routes/diff.ts';
import { eventRoutes } from '../routes/events.ts';
import { evidenceRoutes } from '../routes/evidence.ts';
import { explainRoutes } from '../routes/explain.ts';
import { feedRoutes } from '../routes/feed.ts';
import { keyRoutes } from '../routes/keys.ts';
import { kubefirstRoutes } from '../routes/kubefirst.ts';
import { logRoutes } from '../routes/log.ts';
import { logProofRoutes } from '../routes/log-proofs.ts';
import { lossRoutes } from '../routes/losses.ts';
import { operationsRoutes } from '../routes/operations.ts';
import { overviewRoutes } from '../routes/overview.ts';
import { pendingAdjustmentRoutes } from '../routes/pending-adjustments.ts';
import { periodRoutes } from '../routes/periods.ts';
import { rejectedEventRoutes } from '../routes/rejected-events.ts';
import { replayRoutes } from '../routes/replay.ts';
import { sessionRoutes } from '../routes/sessions.ts';
import { statementRoutes } from '../routes/statements.ts';
import { streamRoutes } from '../routes/stream.ts';
import { systemRoutes } from '../routes/system.ts';
import { undecidedRoutes } from '../routes/undecided.ts';
import { usageRoutes } from '../routes/usage.ts';
import { validationRequestRoutes } from '../routes/validation-requests.ts';
import { validationRoutes } from '../routes/validations.ts';
import { validatorRoutes } from '../routes/validator.ts';
import { webhookRoutes } from '../routes/webhooks.ts';
import { whatIfRoutes } from '../routes/what-if.ts';
import type { App, HttpServices } from './app.ts';
import { parseBodies } from './bodies.ts';
import { DOCUMENTATION_POLICY, rejectForeignPages } from './browsers.ts';
import { collectAnswers } from './collected-answers.ts';
import { limitConnections, lingerWhileClientsWrite } from './connections.ts';
import { CODINGS, MIN_COMPRESSED_BYTES, tagAnswers, tagCodings } from './etag.ts';
import { closeOnceAnswered } from './graceful-shutdown.ts';
import { boundHeavyReads, ClientGone } from './heavy-reads.ts';
import { rememberingQueries } from './known-queries.ts';
import { invalidRequest, Problem } from './problem.ts';
import { problemFor, sendProblem } from './problem-for.ts';
import { answerExpectation, answerMalformedHttp } from './protocol-errors.ts';
import { answerOptions, noSuchRoute, pathOfTarget, rejectOtherHosts } from './request-target.ts';
import { ShedLog } from './shed-log.ts';
import type { JsonItems } from './strict-json.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The configuration of the route. Each reading of `routeOptions` makes an object of twelve members. */
    routeConfig: FastifyRequest['routeOptions']['config'];
    /** Size of the body in bytes, decompressed. */
    bodyBytes: number;
    /** The items of the body, and which of them are not strict JSON, if the route judges the items itself. */
    jsonItems: JsonItems | undefined;
  }
  interface FastifyInstance {
    readonly shedLog: ShedLog;
  }
  interface FastifyContextConfig {
    /** Media types that the route accepts; by default JSON. */
    mediaTypes?: readonly string[];
    /** Whether the route judges the items of a body itself, so that one that is not strict JSON does not affect the others. */
    judgesItems?: boolean;
    /** Maximum size of an item of a body, in bytes. */
    maxItemBytes?: number;
    /** Whether the route answers however busy the ledger is: it says how the ledger is, or is never asked again. */
    alwaysAnswers?: boolean;
  }
}

const BODY_LIMIT = 64 * 1024;
/** Size up to which an answer is compressed on the event loop, in bytes; takes less than a millisecond. */
const MAX_BLOCKING_BYTES = 16 * 1024;

/** Delay of the event loop beyond which the ledger is too busy to answer, in milliseconds. */
const MAX_DELAY_MS = 2_000;

/** Builds the server. It does not listen yet. */
export async function buildServer(services: HttpServices, log: FastifyBaseLogger): Promise<App> {
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    bodyLimit: BODY_LIMIT,
    // A start may take long on a busy machine. By default it fails after ten seconds.
    pluginTimeout: 0,
    trustProxy: services.trustProxy.length === 0 ? false : [...services.trustProxy],
    requestTimeout: 15_000,
    connectionTimeout: 60_000,
    keepAliveTimeout: 75_000,
    rewriteUrl: pathOfTarget,
    http: {
      headersTimeout: 10_000,
      maxHeaderSize: 16 * 1024,
      connectionsCheckingInterval: 5_000,
      requireHostHeader: false,
      optimizeEmptyRequests: true,
    },
    routerOptions: { maxParamLength: 512 },
    // Fastify loads its own compilers, with Ajv, unless factories are given. It then uses those that are set below.
    schemaController: { compilersFactory: { buildValidator: unused, buildSerializer: unused } },
    frameworkErrors: (error, request, reply) => sendProblem(request, reply, problemFor(error)),
    clientErrorHandler: answerMalformedHttp,
  }) as unknown as App;
  services.trace(app);
  app.decorate('shedLog', new ShedLog(log));
  app.server.maxConnections = 4_000;
  app.server.on('checkExpectation', answerExpectation);

  const consolePage = readConsolePage();
  app.setErrorHandler((error, request, reply) => {
    // Nobody reads an answer.
    if (error instanceof ClientGone) reply.hijack();
    else {
      const { bodyLimit } = request.routeOptions;
      const isRead = ['GET', 'HEAD'].includes(request.method);
      sendProblem(request, reply, problemFor(error, { isRead, bodyLimit }));
    }
  });
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, noSuchRoute(app, request)));
  app.setValidatorCompiler(({ schema, httpPart }) => {
    if (isOnlyDescribed(schema as object)) return (value: unknown) => ({ value });
    const prefix =
      { querystring: '/query', params: '/path', headers: '/headers', body: '' }[httpPart ?? 'body'] ?? '';
    const validate = (value: unknown) => {
      if (httpPart === 'params' && Object.values(value as object).includes(''))
        return { error: new Problem('not-found', 'the path has an empty part') };
      const parsed = (schema as z.ZodType).safeParse(value);
      if (parsed.success) return { value: parsed.data };
      return { error: invalidRequest(fieldErrors(parsed.error, value, prefix)) };
    };
    return httpPart === 'querystring' ? rememberingQueries(validate) : validate;
  });
  app.setSerializerCompiler(() => JSON.stringify);
  keepRouteConfig(app);
  parseBodies(app);
  setSecurityHeaders(app);
  collectAnswers(app);
  limitConnections(app);
  lingerWhileClientsWrite(app);
  rejectOtherHosts(app, services.access);
  rejectForeignPages(app, services.allowedOrigins);
  answerOptions(app, consolePage);
  requireAccess(app, services.access, services.rateLimit);
  watchAnswers(app, services.openAnswers);
  closeOnceAnswered(app, services);
  requireOwn(app, services);
  boundHeavyReads(app, services.metrics);
  observeRequests(app, services);
  app.addHook('onRoute', ({ schema }) => {
    // Routes without a query schema reject all query parameters.
    if (schema !== undefined && schema.hide !== true) schema.querystring ??= z.strictObject({});
  });

  await app.register(accepts);
  tagAnswers(app);
  await limitRates(app, services.rateLimit);
  await app.register(compress, {
    encodings: [...CODINGS],
    globalDecompression: false,
    threshold: MIN_COMPRESSED_BYTES,
    syncThreshold: MAX_BLOCKING_BYTES,
  });
  tagCodings(app);
  await app.register(underPressure, {
    maxEventLoopDelay: MAX_DELAY_MS,
    // A time without any measurement counts as busy, so the time must not be shorter than the delay.
    sampleInterval: MAX_DELAY_MS,
    retryAfter: 2,
    pressureHandler: ({ routeOptions }) => {
      if (routeOptions.config.alwaysAnswers === true) return;
      throw new Problem('overloaded', 'the ledger is busy; nothing was recorded', { retryAfterSeconds: 2 });
    },
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'cluster-ledger',
        version: services.version,
        description: DESCRIPTION,
        contact: { name: 'cluster-ledger' },
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [...SERVERS],
      tags: [...TAGS],
      security: [],
      components: { securitySchemes: SECURITY_SCHEMES },
    },
    ...contractHooks(),
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: DOCUMENTATION_POLICY,
    theme: { title: 'cluster-ledger API' },
    uiConfig: { layout: 'BaseLayout', validatorUrl: null, docExpansion: 'list' },
  });

  for (const routes of [
    eventRoutes,
    correctionRoutes,
    deletionRoutes,
    deletionListRoutes,
    clusterRoutes,
    accountRoutes,
    beginningRoutes,
    clockRoutes,
    usageRoutes,
    explainRoutes,
    replayRoutes,
    diffRoutes,
    whatIfRoutes,
    periodRoutes,
    statementRoutes,
    pendingAdjustmentRoutes,
    evidenceRoutes,
    feedRoutes,
    streamRoutes,
    webhookRoutes,
    logRoutes,
    logProofRoutes,
    lossRoutes,
    rejectedEventRoutes,
    validationRequestRoutes,
    alertRoutes,
    validationRoutes,
    undecidedRoutes,
    validatorRoutes,
    kubefirstRoutes,
    sessionRoutes,
    systemRoutes,
    keyRoutes,
    overviewRoutes,
    operationsRoutes,
  ]) {
    routes(app, services);
  }
  await consoleRoutes(app, consolePage);
  return app;
}

function unused(): never {
  throw new Error('a schema was compiled before the compilers were set');
}

function keepRouteConfig(app: App): void {
  app.decorateRequest('routeConfig');
  app.addHook('onRequest', (request, _, done) => {
    request.routeConfig = request.routeOptions.config;
    done();
  });
}

function setSecurityHeaders(app: App): void {
  app.addHook('onRequest', (_, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    done();
  });
}

/** Measures the duration of requests by route, not by URL, so that the number of series is bounded. */
function observeRequests(app: App, { metrics }: HttpServices): void {
  const observers = new Map<string, { observe(seconds: number): void }>();
  app.addHook('onResponse', ({ method, routeConfig }, reply, done) => {
    const route = routeConfig.url ?? 'none';
    const key = `${method} ${route} ${reply.statusCode}`;
    let observer = observers.get(key);
    if (observer === undefined) {
      observer = metrics.requestSeconds.labels({ method, route, status: String(reply.statusCode) });
      observers.set(key, observer);
    }
    observer.observe(reply.elapsedTime / 1_000);
    done();
  });
}
