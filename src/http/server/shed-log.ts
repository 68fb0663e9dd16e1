import type { FastifyBaseLogger } from 'fastify';

const EVERY_MS = 1_000;

/**
 * Logs requests that were rejected because the ledger is busy: at most one line a second, with their number. A line for each
 * would cost more than the rejection, when the ledger has the least to spare.
 */
export class ShedLog {
  readonly #log: Pick<FastifyBaseLogger, 'warn'>;
  readonly #everyMs: number;
  /** Requests since the last line. */
  #requests = 0;
  #why = '';
  #timer: NodeJS.Timeout | undefined;

  /** @param everyMs time between two lines. */
  constructor(log: Pick<FastifyBaseLogger, 'warn'>, everyMs = EVERY_MS) {
    this.#log = log;
    this.#everyMs = everyMs;
  }

  /** Notes a rejected request. @param why the detail of its problem. */
  note(why: string): void {
    this.#requests++;
    this.#why = why;
    if (this.#timer === undefined) this.#write();
  }

  /** Writes a line, and at the end of a second one about the requests until then, if there are any. */
  #write(): void {
    this.#log.warn({ requests: this.#requests, problem: 'overloaded' }, this.#why);
    this.#requests = 0;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#requests > 0) this.#write();
    }, this.#everyMs).unref();
  }
}
