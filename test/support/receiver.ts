import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { onTestFinished } from 'vitest';
import { eventually } from './until.ts';

/** A message that a receiver got. */
export interface Received {
  readonly id: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read events of every type.
  readonly event: any;
}

type Answer = (message: Received, response: ServerResponse) => void;

export const ACCEPT: Answer = (_, response) => response.writeHead(204).end();
export const answerWith =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(status, headers).end(`status ${status}`);

/** A server that receives webhooks over HTTP. The test says how it answers. */
export class Receiver {
  /** All messages, acknowledged or not, in order of arrival. */
  readonly received: Received[] = [];
  /** Those that were answered with 2xx. */
  readonly accepted: Received[] = [];
  answer: Answer = ACCEPT;
  readonly #server = createServer((request, response) => void this.#receive(request, response));

  /** @param port one that it had before: it waits for it if another process has taken it meanwhile. */
  async start(port = 0): Promise<void> {
    // By default a server closes a connection after five seconds, also while the next message is under way on it.
    this.#server.keepAliveTimeout = 0;
    await eventually(() => once(this.#server.listen(port, '127.0.0.1'), 'listening'));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hooks`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const headers = request.headers as Record<string, string>;
    const message = { id: headers['webhook-id'] ?? '', headers, body, event: JSON.parse(body) };
    this.received.push(message);
    response.on('finish', () => {
      if (response.statusCode < 300) this.accepted.push(message);
    });
    this.answer(message, response);
  }
}

/** Starts a receiver that ends with the test. */
export async function receiverForTest(): Promise<Receiver> {
  const receiver = new Receiver();
  await receiver.start();
  onTestFinished(() => receiver.stop());
  return receiver;
}

/** Verifies a message with the two published libraries. @throws Error if one of them refuses the signature. */
export function verify(secret: string, { body, headers }: Received): void {
  new StandardWebhook(secret).verify(body, headers);
  new SvixWebhook(secret).verify(body, headers);
}
