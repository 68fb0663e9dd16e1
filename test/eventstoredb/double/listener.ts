import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import {
  type Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { freePorts } from '../../support/eventstored.ts';

const HOST = '127.0.0.1';

/** How long clients have to close their connections themselves when the server stops. */
const GRACE_MS = 200;

type ConnectionInjector = ReturnType<Server['createConnectionInjector']>;

/**
 * The sockets and calls of a server, so that a test can break them the way a real node does; grpc-js of itself ends
 * every call with CANCELLED.
 */
export class Listener {
  readonly #sockets = new Set<Socket>();
  readonly #calls = new Set<ServerHttp2Stream>();
  #opened: { readonly net: NetServer; readonly injector: ConnectionInjector } | undefined;
  #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** The same before and after a restart. */
  get port(): number {
    return this.#port;
  }

  /** Goes into the options of the server whose calls are to be known. */
  readonly interceptor: ServerInterceptor = (_method, call) => {
    // grpc-js has no public way to the HTTP/2 stream of a call.
    const { stream } = call as unknown as { stream: ServerHttp2Stream };
    this.#calls.add(stream);
    stream.once('close', () => this.#calls.delete(stream));
    return new ServerInterceptingCall(call);
  };

  async open(server: Server): Promise<void> {
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    const net = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      // A socket that breaks is what tests are about.
      socket.on('error', () => undefined);
      injector.injectConnection(socket);
    });
    if (this.#port === 0) [this.#port] = (await freePorts(1)) as [number];
    net.listen(this.#port, HOST);
    await once(net, 'listening');
    this.#opened = { net, injector };
  }

  /** Takes no more connections, and ends those there are. */
  async close(how: 'stopped' | 'killed'): Promise<void> {
    if (this.#opened === undefined) return;
    const { net, injector } = this.#opened;
    this.#opened = undefined;
    const closed = once(net, 'close');
    net.close();
    if (how === 'stopped') {
      await this.#resetCalls();
      injector.drain(GRACE_MS);
    } else {
      for (const socket of this.#sockets) socket.resetAndDestroy();
    }
    await closed;
  }

  /** A node that stops resets its calls without a status, and without an error. */
  async #resetCalls(): Promise<void> {
    await Promise.all(
      [...this.#calls].map(async (stream) => {
        const closed = once(stream, 'close');
        stream.destroy();
        await closed;
      }),
    );
  }
}
