import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Problem } from './problem.ts';

/** How long a client has to read the answer and to close its side, in milliseconds. */
const LINGER_MS = 2_000;

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
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // A client that never closes its side would keep the connection, and with enough of them keep others out.
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
