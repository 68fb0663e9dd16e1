import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { AccessControl } from '../access/access-control.ts';
import type { App } from './app.ts';
import { Problem } from './problem.ts';

/**
 * While requests need no credential, rejects requests for any host but a loopback address, which protects against DNS rebinding.
 */
export function rejectOtherHosts(app: App, access: AccessControl): void {
  app.addHook('onRequest', async ({ hostname, headers, raw }) => {
    if (headers.host === undefined && raw.httpVersion === '1.1')
      throw new Problem('malformed-http', 'a request needs a Host header');
    if (/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(hostname)) return;
    // While it is not known whether there are keys, the stricter rule holds.
    if (await access.isOpen().catch(() => true))
      throw new Problem('wrong-host', `the host must be a loopback address; given ${hostname}`);
  });
}

/** Returns the problem of a request that no route matches: an unknown path, or an unsupported method. */
export function noSuchRoute(app: App, { method, url }: FastifyRequest): Problem {
  const [path = ''] = url.split('?');
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'] as const;
  const allow = methods.filter(
    (other) => other !== method && app.findRoute({ method: other, url: path }) !== null,
  );
  return allow.length > 0
    ? new Problem('method-not-allowed', `${path} supports ${allow.join(', ')}`, { allow })
    : new Problem('not-found', `there is no ${method} ${path}`);
}

/** Answers an unknown `Expect` header (RFC 9110, section 10.1.1) with a problem; Node would answer without one. */
export function answerExpectation(request: IncomingMessage, response: ServerResponse): void {
  const problem = new Problem(
    'expectation-failed',
    `the header Expect: ${request.headers.expect} is not supported`,
  );
  const body = JSON.stringify(problem.document(randomUUID()));
  const type = 'application/problem+json; charset=utf-8';
  response.writeHead(problem.status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** Answers what Node cannot parse as a request with a problem, and closes the connection. */
export function answerMalformedHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return;
  const problem =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new Problem('headers-too-large', 'the headers are larger than 16 KiB')
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
