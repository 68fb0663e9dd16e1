import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The fields of a message that the harnesses compare. */
export interface Delivered {
  readonly ledgereventid: string;
  readonly ledgerposition: string;
  readonly subject: string;
}

/** A receiver of webhooks that keeps the first arrival of each event. */
export class WebhookReceiver {
  /** In the order of their arrival. */
  readonly messages: Delivered[] = [];
  /** Longest time between two messages, in milliseconds. */
  longestPauseMs = 0;
  #lastAt: number | undefined;
  readonly #ids = new Set<string>();
  readonly #server = createServer(async (request, response) => {
    const at = performance.now();
    this.longestPauseMs = Math.max(this.longestPauseMs, at - (this.#lastAt ?? at));
    this.#lastAt = at;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const event = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Delivered;
    if (!this.#ids.has(event.ledgereventid)) this.messages.push(event);
    this.#ids.add(event.ledgereventid);
    response.writeHead(204).end();
  });

  static async start(): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hooks`;
  }

  hasAll(ids: ReadonlySet<string>): boolean {
    return ids.isSubsetOf(this.#ids);
  }

  /** Returns the event ids of each cluster, in the order of their first arrival. */
  idsByCluster(): Map<string, string[]> {
    const ids = new Map<string, string[]>();
    for (const [cluster, messages] of Map.groupBy(this.messages, ({ subject }) => subject))
      ids.set(
        cluster,
        messages.map(({ ledgereventid }) => ledgereventid),
      );
    return ids;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
