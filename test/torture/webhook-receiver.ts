import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The fields of a message that the harnesses compare. */
export interface Delivered {
  readonly ledgereventid: string;
  readonly ledgerposition: string;
  readonly subject: string;
}

interface Arrived {
  readonly id: unknown;
  readonly body: string;
}

/** A receiver of webhooks that keeps the first arrival of each event. */
export class WebhookReceiver {
  /** In the order of their arrival. */
  readonly messages: Delivered[] = [];
  /** Number of messages, with those that arrived again. */
  arrivals = 0;
  /** Messages that came again with another id or another body. */
  readonly changed: string[] = [];
  /** Longest time between two messages, in milliseconds. */
  longestPauseMs = 0;
  #lastAt: number | undefined;
  readonly #ids = new Set<string>();
  /** The first arrival of each event, by its position. */
  readonly #first = new Map<string, Arrived>();
  readonly #server = createServer(async (request, response) => {
    const at = performance.now();
    this.longestPauseMs = Math.max(this.longestPauseMs, at - (this.#lastAt ?? at));
    this.#lastAt = at;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const event = JSON.parse(body) as Delivered;
    this.#compare(event, { id: request.headers['webhook-id'], body });
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

  #compare({ ledgerposition, ledgereventid }: Delivered, arrived: Arrived): void {
    this.arrivals += 1;
    const first = this.#first.get(ledgerposition) ?? arrived;
    this.#first.set(ledgerposition, first);
    if (arrived.id !== ledgereventid || arrived.id !== first.id || arrived.body !== first.body)
      this.changed.push(
        `the event at position ${ledgerposition} arrived as ${arrived.id}, before as ${first.id}`,
      );
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
