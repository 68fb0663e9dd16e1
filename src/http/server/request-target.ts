/** The target of a request: host, path and method, before any route sees it. */
import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { AccessControl } from '../access/access-control.ts';
import type { ConsolePage } from '../console/console-page.ts';
import type { App } from './app.ts';
import { Problem } from './problem.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'] as const;

/** The targets of requests in absolute form, `GET http://host/path`, which proxies send. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)/i;

/** Returns the path and query of a request. The host of an absolute target replaces the header (RFC 9112, section 3.2.2). */
export function pathOfTarget({ url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>): string {
  const [, host, path = ''] = ABSOLUTE.exec(url) ?? [];
  if (host === undefined) return url;
  headers.host = host;
  return path.startsWith('/') ? path : `/${path}`;
}

/**
 * While requests need no credential, rejects requests for any host but a loopback address, which protects against DNS rebinding.
 */
export function rejectOtherHosts(app: App, access: AccessControl): void {
  /** The last host that was a loopback address. */
  let loopback: string | undefined;
  app.addHook('onRequest', (request, _, done) => {
    const { headers, host, raw } = request;
    if (hasSecondHost(raw.rawHeaders))
      throw new Problem('malformed-http', 'a request has exactly one Host header');
    if (headers.host === undefined) {
      // HTTP/1.0 has no Host header, and browsers do not use HTTP/1.0.
      if (raw.httpVersion === '1.0') return done();
      throw new Problem('malformed-http', 'a request needs a Host header');
    }
    if (host === loopback) return done();
    const { hostname } = request;
    if (/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(hostname)) {
      loopback = host;
      return done();
    }
    // While it is not known whether there are keys, the stricter rule holds.
    const isOpen = access.isOpen().catch(() => true);
    void isOpen.then((open) =>
      done(
        open
          ? new Problem('wrong-host', `the host must be a loopback address; given ${hostname}`)
          : undefined,
      ),
    );
  });
}

/** @param rawHeaders names and values in turn; Node.js leaves out repeated hosts of `headers`. */
function hasSecondHost(rawHeaders: readonly string[]): boolean {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]?.length === 'host'.length && rawHeaders[i]?.toLowerCase() === 'host') hosts++;
  return hosts > 1;
}

/**
 * Answers OPTIONS with the methods of a resource (RFC 9110, section 9.3.7), and rejects unknown routes before a body is read. A
 * browser that opens an unknown path gets the console, which has its own paths.
 * @param page absent if the console is not built
 */
export function answerOptions(app: App, page: ConsolePage | undefined): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done();
    const { method, url } = request;
    if (page?.isFor(request) === true) return void page.send(reply);
    const [path = ''] = url.split('?');
    const allow = path === '*' ? METHODS : methodsOf(app, path);
    if (method !== 'OPTIONS' || allow.length === 0) return done(noSuchRoute(app, request));
    reply
      .code(204)
      .header('allow', [...allow, 'OPTIONS'].join(', '))
      .send();
  });
}

/** Returns the problem of a request that no route matches: an unknown path, or an unsupported method. */
export function noSuchRoute(app: App, { method, url }: FastifyRequest): Problem {
  const [path = ''] = url.split('?');
  const allow = methodsOf(app, path);
  return allow.length > 0 && !allow.some((other) => other === method)
    ? new Problem('method-not-allowed', `${path} supports ${allow.join(', ')}`, {
        allow: [...allow, 'OPTIONS'],
      })
    : new Problem('not-found', `there is no ${method} ${path}`);
}

function methodsOf(app: App, path: string): readonly (typeof METHODS)[number][] {
  return METHODS.filter((method) => app.findRoute({ method, url: path }) !== null);
}
