import type { FastifyBaseLogger } from 'fastify';

const EVERY_MS = 1_000;

/** Requests that were rejected for one reason since the last line about it. */
interface Shed {
  requests: number;
  why: string;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Logs requests that were rejected because the ledger is busy, or because its store takes or gives nothing now: at most one line a
 * second for each kind of problem, with their number. A line for each would cost more than the rejection, when the ledger has the
 * least to spare.
 */
export class ShedLog {
  readonly #log: Pick<FastifyBaseLogger, 'warn'>;
  readonly #everyMs: number;
  readonly #shed = new Map<string, Shed>();

  /** @param everyMs time between two lines. */
  constructor(log: Pick<FastifyBaseLogger, 'warn'>, everyMs = EVERY_MS) {
    this.#log = log;
    this.#everyMs = everyMs;
  }

  /** Notes a rejected request. @param problem the code of its problem. @param why the detail. */
  note(problem: string, why: string): void {
    let shed = this.#shed.get(problem);
    if (shed === undefined) {
      shed = { requests: 0, why, timer: undefined };
      this.#shed.set(problem, shed);
    }
    shed.requests++;
    shed.why = why;
    if (shed.timer === undefined) this.#write(problem, shed);
  }

  /** Writes a line, and at the end of a second one about the requests until then, if there are any. */
  #write(problem: string, shed: Shed): void {
    this.#log.warn({ requests: shed.requests, problem }, shed.why);
    shed.requests = 0;
    shed.timer = setTimeout(() => {
      shed.timer = undefined;
      if (shed.requests > 0) this.#write(problem, shed);
    }, this.#everyMs).unref();
  }
}
