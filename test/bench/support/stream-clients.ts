import { connect, type Socket } from 'node:net';

/**
 * A process of its own that receives server-sent events over many connections, and counts them. It does not parse them, so that
 * as much as possible of the machine is left for the server.
 */

export type StreamOrder =
  | { readonly kind: 'connect'; readonly port: number; readonly clients: number }
  /** Answered once this many events were received since the connections are open. */
  | { readonly kind: 'await'; readonly events: number };

const DATA = Buffer.from('\ndata: ');

/** One connection. Its first event is a comment or a `retry`, which has no data. */
class StreamClient {
  readonly #onEvents: (count: number) => void;
  /** The end of the last chunk, in which the field may have begun. */
  #rest: Buffer = Buffer.alloc(0);
  readonly socket: Socket;
  readonly begun: Promise<void>;

  constructor(port: number, onEvents: (count: number) => void) {
    this.#onEvents = onEvents;
    this.socket = connect({ host: '127.0.0.1', port });
    this.socket.on('connect', () =>
      this.socket.write(`GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`),
    );
    this.begun = new Promise((resolve, reject) => {
      this.socket.once('error', reject);
      this.socket.once('close', () => reject(new Error('a client was disconnected')));
      this.socket.on('data', (chunk) => {
        resolve();
        this.#take(chunk);
      });
    });
  }

  #take(chunk: Buffer): void {
    const received = Buffer.concat([this.#rest, chunk]);
    let count = 0;
    for (let at = received.indexOf(DATA); at !== -1; at = received.indexOf(DATA, at + DATA.length))
      count += 1;
    this.#rest = received.subarray(-(DATA.length - 1));
    if (count > 0) this.#onEvents(count);
  }
}

let received = 0;
let awaited = Number.POSITIVE_INFINITY;

function onEvents(count: number): void {
  received += count;
  if (received < awaited) return;
  awaited = Number.POSITIVE_INFINITY;
  process.send?.(received);
}

async function connectAll(port: number, clients: number): Promise<void> {
  // One after the other, so that no server has to refuse connections.
  for (let i = 0; i < clients; i++) await new StreamClient(port, onEvents).begun;
  process.send?.(0);
}

process.on('message', (order: StreamOrder) => {
  if (order.kind === 'connect') void connectAll(order.port, order.clients);
  else {
    awaited = order.events;
    onEvents(0);
  }
});
process.on('disconnect', () => process.exit());
