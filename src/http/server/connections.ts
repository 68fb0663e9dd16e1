import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { App } from './app.ts';

/** Maximum number of requests that are answered on one connection. */
const MAX_REQUESTS = 1_000;
/** Maximum number of answers that are under way on one connection. Further requests wait. */
const MAX_UNDER_WAY = 8;
/** Maximum size of the rest of a body that is read and thrown away, in bytes. */
const MAX_DISCARDED_BYTES = 16 * 1024 * 1024;
/** How long the rest of a body is read, in milliseconds. */
const DISCARD_MS = 15_000;

interface Connection {
  requests: number;
  underWay: number;
  readonly waiting: (() => void)[];
}

/**
 * Bounds the answers that are under way on one connection, so that a client that sends many requests at once and reads no answer
 * does not fill the memory. An answer is under way until the client has taken it. Closes a connection after its last request, so
 * that clients spread over replicas; requests that follow on it are not carried out.
 */
export function limitConnections(app: App): void {
  const connections = new WeakMap<Socket, Connection>();
  app.addHook('onRequest', ({ raw: { socket } }, { raw }, done) => {
    let connection = connections.get(socket);
    if (connection === undefined) {
      connection = { requests: 0, underWay: 0, waiting: [] };
      connections.set(socket, connection);
    }
    const { waiting } = connection;
    connection.requests++;
    if (connection.requests > MAX_REQUESTS) return;
    if (connection.requests === MAX_REQUESTS) raw.shouldKeepAlive = false;
    const start = () => {
      if (socket.destroyed) return;
      connection.underWay++;
      raw.once('close', () => {
        connection.underWay--;
        waiting.shift()?.();
      });
      done();
    };
    if (connection.underWay < MAX_UNDER_WAY) start();
    else waiting.push(start);
  });
}

/**
 * Makes answers readable that are sent before the request has arrived as a whole, such as 413: the server closes its side, reads
 * the rest and throws it away up to a limit, and then closes the connection (RFC 9112, section 9.6). Otherwise the client would
 * see a reset connection while it still writes.
 */
export function lingerWhileClientsWrite(app: App): void {
  app.addHook('onSend', ({ raw }, _, payload, done) => {
    // A request that comes from within the process has no connection to close.
    if (!raw.complete && !raw.destroyed && 'destroySoon' in raw.socket) closeAfterRest(raw);
    done(null, payload);
  });
}

function closeAfterRest(request: IncomingMessage): void {
  const { socket } = request;
  let discarded = 0;
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > MAX_DISCARDED_BYTES) socket.destroy();
  });
  request.resume();
  const close = socket.destroySoon.bind(socket);
  // Node calls this after the last answer of a connection.
  socket.destroySoon = () => {
    socket.destroySoon = close;
    if (request.complete) return close();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), DISCARD_MS);
    socket.once('close', () => clearTimeout(timer));
    request.once('end', close);
  };
}
