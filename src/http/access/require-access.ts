import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Caller } from '../../domain/access/caller.ts';
import type { App } from '../server/app.ts';
import { requirePage } from '../server/browsers.ts';
import { Problem } from '../server/problem.ts';
import type { Authenticator } from './authenticator.ts';
import { limitFailures } from './rate-limits.ts';
import { type RouteAccess, scopeOf } from './route-access.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends the request. Known from the beginning of the hook `preParsing` on. */
    caller: Caller;
  }
  interface FastifyInstance {
    /** Who may call each route, in the order of registration. */
    routeAccess: DeclaredRoute[];
  }
  interface FastifyContextConfig {
    /** Who may call the route. Every route declares it. */
    access?: RouteAccess;
  }
}

/** A route, and who may call it. */
export interface DeclaredRoute {
  readonly method: string;
  readonly url: string;
  readonly access: RouteAccess;
  /** Id of the operation in the contract; absent if the route is not part of it. */
  readonly operationId?: string;
}

/** Returns whether the packages that serve the documentation page registered the route. */
function isDocumentation(url: string): boolean {
  return url === '/docs' || url.startsWith('/docs/');
}

/** Paths of ids that the scope `own` can be decided by. */
const OWNED = /\/:(accountId|clusterId|eventId)\b/;

/**
 * Authenticates each request and rejects callers whose role may not call the route. A route that does not declare who may call
 * it cannot be registered.
 * @param rateLimit maximum number of requests with a wrong credential from one address in 10 seconds.
 */
export function requireAccess(app: App, authenticator: Authenticator, rateLimit: number): void {
  app.decorateRequest('caller');
  app.decorate('routeAccess', []);
  app.addHook('onRoute', (route) => {
    app.routeAccess.push(...declareAccess(route));
  });
  const countFailure = limitFailures(app, rateLimit);
  const identify = async (request: FastifyRequest, reply: FastifyReply, access: RouteAccess) => {
    try {
      request.caller = await authenticator.callerOf(request);
    } catch (error) {
      if (error instanceof Problem && error.code === 'unauthenticated') {
        challenge(request, reply);
        if (request.headers.authorization !== undefined) await countFailure(request);
      }
      throw error;
    }
    const { role, sessionId } = request.caller;
    if (sessionId !== undefined) {
      requirePage(request);
      // Caches know that an answer to a request with Authorization is for one person, but not one to a request with a cookie.
      reply.header('cache-control', 'private, no-cache');
    }
    if (scopeOf(access, role) === undefined) {
      const roles = ['operator', ...Object.keys(access)].join(', ');
      const { method, url } = request.routeOptions;
      throw new Problem('forbidden', `the role ${role} may not call ${method} ${url}; allowed are ${roles}`);
    }
  };
  app.addHook('onRequest', (request, reply, done) => {
    const { access } = request.routeConfig;
    // Without a route, the answer is 404 or 405 for everybody.
    if (access === undefined || access === 'public') return done();
    const caller = authenticator.onlyCaller;
    if (caller === undefined) return void identify(request, reply, access).then(() => done(), done);
    request.caller = caller;
    done();
  });
}

/** Sets the header that describes how to authenticate (RFC 6750, section 3). */
function challenge({ headers }: FastifyRequest, reply: FastifyReply): void {
  const error = headers.authorization === undefined ? '' : ', error="invalid_token"';
  reply.header('www-authenticate', `Bearer realm="cluster-ledger"${error}`);
}

/** @throws Error if a route does not declare who may call it, or by which id it is decided what is the caller's own */
function declareAccess(route: RouteOptions): DeclaredRoute[] {
  const name = `${String(route.method)} ${route.url}`;
  if (isDocumentation(route.url)) route.config = { ...route.config, access: 'public' };
  const access = route.config?.access;
  if (access === undefined)
    throw new Error(`the route ${name} does not declare who may call it: set config.access`);
  if (access !== 'public' && Object.values(access).includes('own') && !OWNED.test(route.url))
    throw new Error(`the route ${name} has no id by which "own" can be decided: use the scope "filtered"`);
  const { operationId } = (route.schema ?? {}) as { operationId?: string };
  const operation = operationId === undefined ? {} : { operationId };
  return [route.method].flat().map((method) => ({ method, url: route.url, access, ...operation }));
}
