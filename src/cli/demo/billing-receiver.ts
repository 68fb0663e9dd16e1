import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SeededRandom } from './seeded-random.ts';

const FAILURE_PROBABILITY = 0.1;

/** Plays a billing service that receives webhooks, and that is restarted now and then. */
export class BillingReceiver {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Begins to listen on a free port of the loopback address. */
  static async start(): Promise<BillingReceiver> {
    const random = new SeededRandom('billing service');
    const server = createServer((request, response) => {
      request.resume().once('end', () => {
        response.writeHead(random.chance(FAILURE_PROBABILITY) ? 503 : 204).end();
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new BillingReceiver(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ledger-events`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await once(this.#server.close(), 'close');
  }
}
