import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request with a JSON body. */
export interface ReceivedJson {
  readonly path: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read bodies of every shape.
  readonly body: any;
}

/** A server that takes JSON, remembers it, and answers the status that the test sets. */
export class JsonReceiver {
  readonly received: ReceivedJson[] = [];
  status = 200;
  readonly #server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    this.received.push({ path: request.url ?? '', body });
    response.writeHead(this.status).end();
  });

  static async start(): Promise<JsonReceiver> {
    const receiver = new JsonReceiver();
    // By default a server closes a connection after five seconds, also while the next message is under way on it.
    receiver.#server.keepAliveTimeout = 0;
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
