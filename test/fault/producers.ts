import {
  deleted,
  inStructuredMode,
  type PostedEvent,
  registered,
  resumed,
  stopped,
} from '../support/cloud-events.ts';

/** An acknowledged event, with the answer of the ledger. */
export interface Acknowledged {
  readonly event: PostedEvent;
  readonly eventId: string;
  readonly position: string | null;
}

/**
 * Clients that post at once, each one event after the other until it is acknowledged, through every failure, and that post
 * a fifth of their events again later.
 */
export class Producers {
  readonly acknowledged: Acknowledged[] = [];
  /** Answers that no producer may ever get. */
  readonly wrong: string[] = [];
  readonly #url: () => string;
  readonly #accounts: number;
  #isStopping = false;
  #running: Promise<unknown> = Promise.resolve();

  /** @param url returns the current address of the ledger, which may change. */
  constructor(url: () => string, accounts = 7) {
    this.#url = url;
    this.#accounts = accounts;
  }

  start(clients: number, run: string): void {
    this.#isStopping = false;
    this.#running = Promise.all(
      Array.from({ length: clients }, (_, client) => this.#produce(`${run}-${client}`)),
    );
  }

  /** Lets every client have its last event acknowledged. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
  }

  async #produce(client: string): Promise<void> {
    for (let n = 0; !this.#isStopping; n++) {
      for (const event of this.#lifeOf(`c-${client}-${n}`, n)) {
        if (this.#isStopping) return;
        await this.#post(event);
        if (n % 5 === 0) await this.#repeat(n);
      }
    }
  }

  #lifeOf(cluster: string, n: number): PostedEvent[] {
    const account = `account-${n % this.#accounts}`;
    const day = (of: number) => `2026-0${1 + (n % 3)}-${String(of).padStart(2, '0')}T0${n % 10}:00:00.000Z`;
    return [
      registered(cluster, day(2), account),
      stopped(cluster, day(5)),
      resumed(cluster, day(9)),
      ...(n % 2 === 0 ? [deleted(cluster, day(20))] : []),
    ];
  }

  async #post(event: PostedEvent): Promise<void> {
    for (;;) {
      const answer = await this.#try(event);
      if (answer === undefined) continue;
      this.acknowledged.push({ event, ...answer });
      return;
    }
  }

  /** Posts an event that was acknowledged before once more. */
  async #repeat(n: number): Promise<void> {
    const earlier = this.acknowledged[(n * 7_919) % this.acknowledged.length];
    if (earlier === undefined) return;
    const answer = await this.#try(earlier.event);
    if (answer === undefined) return;
    // A position is null until the ledger that answers knows it.
    const { position } = answer;
    const isSame =
      answer.eventId === earlier.eventId &&
      (position === null || (earlier.position ?? position) === position);
    if (!isSame)
      this.wrong.push(
        `${earlier.event.id}: first ${JSON.stringify(earlier)}, then ${JSON.stringify(answer)}`,
      );
    if (answer.outcome !== 'duplicate')
      this.wrong.push(`${earlier.event.id} was ${answer.outcome} a second time`);
  }

  async #try(event: PostedEvent) {
    try {
      const { headers, body } = inStructuredMode(event);
      const answer = await fetch(`${this.#url()}/v1/events`, {
        method: 'POST',
        headers,
        body: body as string,
      });
      const text = await answer.text();
      if (answer.status === 200 || answer.status === 201) {
        return JSON.parse(text) as Omit<Acknowledged, 'event'> & { outcome: string };
      }
      if (answer.status !== 503) this.wrong.push(`${event.id}: ${answer.status} ${text}`);
    } catch {
      // The ledger is gone: it will be back.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return undefined;
  }
}
