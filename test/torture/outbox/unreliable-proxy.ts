import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A proxy at one address in front of a ledger that comes and goes. It cuts some connections before the answer, or in it. */
export class UnreliableProxy {
  /** Number of connections that it cut. */
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** @param port returns the port of the ledger. */
  constructor(port: () => number, random: () => number) {
    this.#server = createServer((client) => {
      const ledger = connect(port(), '127.0.0.1');
      for (const socket of [client, ledger]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#sockets.delete(socket);
          client.destroy();
          ledger.destroy();
        });
      }
      client.pipe(ledger);
      ledger.on('data', (bytes) => {
        if (random() < 0.05) {
          this.cuts++;
          client.end(bytes.subarray(0, Math.floor(random() * bytes.length)));
          ledger.destroy();
        } else client.write(bytes);
      });
    });
  }

  async listen(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
