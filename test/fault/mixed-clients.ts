import {
  deleted,
  inStructuredMode,
  type PostedEvent,
  registered,
  stopped,
  voided,
} from '../support/cloud-events.ts';

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many kinds.
  readonly body: any;
}

/** How often each thing was done, and how often the ledger said that it cannot now. */
export interface MixedCounts {
  facts: number;
  voids: number;
  deletions: number;
  reads: number;
  closings: number;
  unavailable: number;
}

/** Statuses that ask to try again. */
const LATER = new Set([429, 503, 507]);
/** Before the next attempt, if the ledger cannot now. */
const PAUSE_MS = 25;

/**
 * Clients that post facts, void some, delete clusters, close months and read back what was recorded, all at once and through
 * every failure. Whatever is neither done nor refused with "try again" is wrong, and so is each read that lacks something.
 */
export class MixedClients {
  readonly counts: MixedCounts = { facts: 0, voids: 0, deletions: 0, reads: 0, closings: 0, unavailable: 0 };
  /** Ids of the facts that the ledger has acknowledged. */
  readonly acknowledged: string[] = [];
  /** Answers that no client may ever get. */
  readonly wrong: string[] = [];
  readonly #url: () => string;
  #isStopping = false;
  #running: Promise<unknown> = Promise.resolve();

  /** @param url returns the current address of the ledger, which may change. */
  constructor(url: () => string) {
    this.#url = url;
  }

  start(clients: number): void {
    this.#running = Promise.all([
      ...Array.from({ length: clients }, (_, client) => this.#live(client)),
      this.#close(),
    ]);
  }

  /** Lets every client finish what it does. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
  }

  async #live(client: number): Promise<void> {
    for (let n = 0; !this.#isStopping; n++) {
      const cluster = `m-${client}-${n}`;
      const day = (of: number) => `2026-0${1 + (n % 6)}-${String(of).padStart(2, '0')}T0${n % 10}:00:00.000Z`;
      const facts = [await this.#post(registered(cluster, day(2), `account-${n % 5}`))];
      const stop = await this.#post(stopped(cluster, day(5)));
      facts.push(stop);
      await this.#readBack(cluster, facts);
      facts.push(await this.#post(voided(cluster, day(6), stop.eventId)));
      this.counts.voids += 1;
      if (n % 2 === 0) {
        await this.#requestDeletion(cluster);
        facts.push(await this.#post(deleted(cluster, day(20))));
        this.counts.deletions += 1;
      }
      await this.#readBack(cluster, facts);
      await this.#readRejected();
    }
  }

  async #post(event: PostedEvent): Promise<{ eventId: string; position: string | null }> {
    const { headers, body } = inStructuredMode(event);
    const answer = await this.#untilDone('/v1/events', { method: 'POST', headers, body: body as string });
    if (answer.status !== 200 && answer.status !== 201) {
      this.wrong.push(`${event.type} ${event.subject}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return { eventId: '', position: null };
    }
    this.counts.facts += 1;
    this.acknowledged.push(answer.body.eventId);
    return answer.body;
  }

  async #requestDeletion(cluster: string): Promise<void> {
    const { status, body } = await this.#untilDone(`/v1/clusters/${cluster}/deletions`, { method: 'POST' });
    // The answer to an earlier attempt was lost.
    const isBegun = status === 409 && String(body.type).endsWith(':deletion-in-progress');
    if (status !== 201 && !isBegun)
      this.wrong.push(`a deletion of ${cluster}: ${status} ${JSON.stringify(body)}`);
  }

  /** Reads the facts of a cluster, and each of them by its id. */
  async #readBack(
    cluster: string,
    facts: readonly { readonly eventId: string; readonly position: string | null }[],
  ): Promise<void> {
    const last = facts.at(-1);
    if (last === undefined || last.position === null) return;
    const at = `minPosition=${last.position}`;
    const list = await this.#untilDone(`/v1/clusters/${cluster}/events?limit=100&${at}`);
    const found = new Set(
      (list.body?.items ?? []).map((item: { ledgereventid: string }) => item.ledgereventid),
    );
    if (list.status !== 200 || facts.some(({ eventId }) => !found.has(eventId)))
      this.wrong.push(`the facts of ${cluster} at ${last.position}: ${list.status} with ${found.size}`);
    const one = await this.#untilDone(`/v1/events/${last.eventId}?${at}`);
    if (one.status !== 200) this.wrong.push(`the fact ${last.eventId}: ${one.status}`);
    const page = await this.#untilDone(`/v1/feed?limit=1&after=${Number(last.position) - 1}`);
    if (page.status !== 200 || page.body.events[0]?.ledgereventid !== last.eventId)
      this.wrong.push(`the feed after ${Number(last.position) - 1}: ${page.status}`);
    this.counts.reads += 3;
  }

  /** Nothing that these clients post is rejected. */
  async #readRejected(): Promise<void> {
    const { status, body } = await this.#untilDone('/v1/rejected-events?limit=1');
    if (status !== 200 || body.items.length > 0)
      this.wrong.push(`rejected events: ${status} ${JSON.stringify(body)}`);
    this.counts.reads += 1;
  }

  /** Closes one month after the other, as far as there are any. */
  async #close(): Promise<void> {
    for (let month = 1; month <= 8 && !this.#isStopping; month++) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const { status, body } = await this.#untilDone(`/v1/periods/2026-0${month}/close`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ early: true }),
      });
      // The periods begin with the first billed one.
      const isTooEarly = status === 409 && String(body.type).endsWith(':period-not-next');
      if (isTooEarly) month -= 1;
      else if (status === 200 || status === 201) this.counts.closings += 1;
      else this.wrong.push(`closing 2026-0${month}: ${status} ${JSON.stringify(body)}`);
    }
  }

  async #untilDone(path: string, init: RequestInit = {}): Promise<Answer> {
    for (;;) {
      try {
        const answer = await fetch(this.#url() + path, init);
        const text = await answer.text();
        if (!LATER.has(answer.status))
          return { status: answer.status, body: text === '' ? {} : JSON.parse(text) };
        this.counts.unavailable += 1;
      } catch {
        // The ledger is gone, or the connection to it: it will be back.
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
