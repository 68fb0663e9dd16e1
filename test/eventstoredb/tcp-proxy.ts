import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { freePorts } from '../support/eventstored.ts';

/** A network between a client and a server on this host, which fails on demand. */
export interface TcpProxy {
  /** Port of 127.0.0.1 to which clients connect. It never changes. */
  readonly port: number;
  /** How many connections there are. */
  readonly connections: number;
  /** Resets all connections; new ones work. */
  cut(): void;
  /** Lets nothing through any more, in either direction: connections stay, and new ones are accepted. */
  stall(): void;
  /** Lets everything through again, and first of all what has waited. */
  resume(): void;
  /** Lets each piece of data through so many ms after it came; 0 for at once. */
  delay(ms: number): void;
  /** Refuses new connections, or no longer does; those there are stay. */
  refuse(refuses: boolean): Promise<void>;
  /** Cuts all connections and listens no more. */
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

export async function startProxy(targetPort: number): Promise<TcpProxy> {
  const [port] = (await freePorts(1)) as [number];
  const proxy = new Network(port, targetPort);
  await proxy.refuse(false);
  return proxy;
}

class Network implements TcpProxy {
  readonly port: number;
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #delayMs = 0;
  #isStalled = false;
  #flows: Promise<void> = Promise.resolve();
  #letFlow: () => void = () => undefined;

  constructor(port: number, targetPort: number) {
    this.port = port;
    this.#targetPort = targetPort;
  }

  get connections(): number {
    return this.#sockets.size / 2;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  stall(): void {
    if (this.#isStalled) return;
    this.#isStalled = true;
    this.#flows = new Promise((resolve) => {
      this.#letFlow = resolve;
    });
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    this.#isStalled = false;
    this.#letFlow();
    for (const socket of this.#sockets) socket.resume();
  }

  delay(ms: number): void {
    this.#delayMs = ms;
  }

  async refuse(refuses: boolean): Promise<void> {
    if (refuses) {
      this.#server?.close();
      this.#server = undefined;
    } else if (this.#server === undefined) {
      this.#server = createServer((client) => this.#join(client));
      this.#server.listen(this.port, HOST);
      await once(this.#server, 'listening');
    }
  }

  async close(): Promise<void> {
    await this.refuse(true);
    this.cut();
  }

  #join(client: Socket): void {
    const server = connect(this.#targetPort, HOST);
    this.#pass(client, server);
    this.#pass(server, client);
  }

  /** Passes on what `from` says, in its order, when it may. */
  #pass(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    let passed = Promise.resolve();
    const passLater = (pass: () => void): void => {
      const due = Date.now() + this.#delayMs;
      passed = passed
        .then(() => (due > Date.now() ? wait(due - Date.now()) : undefined))
        .then(() => this.#flows)
        .then(() => {
          if (!to.destroyed) pass();
        });
    };
    from.on('data', (chunk) => passLater(() => to.write(chunk)));
    from.on('end', () => passLater(() => to.end()));
    // The close of one side closes the other. The reason does not matter here.
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    if (this.#isStalled) from.pause();
  }
}
