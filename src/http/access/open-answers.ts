import type { ServerResponse } from 'node:http';
import type { Caller } from '../../domain/access/caller.ts';

/** Checks whether the credential of a caller still holds. */
interface CallerCheck {
  isStillValid(caller: Caller): Promise<boolean>;
}

interface OpenAnswer {
  readonly raw: ServerResponse;
  /** Absent for a public route. */
  readonly caller: Caller | undefined;
}

/**
 * The answers that are being sent, such as streams and long polls. An answer whose caller is no longer valid is cut, so that a
 * revoked key reads nothing more within a minute. Every answer is included; a route need not do anything for it.
 */
export class OpenAnswers {
  readonly #access: CallerCheck;
  /**
   * The answers, each at a place that is used again. A map with a new entry for each request is copied every hundred requests,
   * and the copies keep the requests of that time in memory: then three times as much survives each garbage collection.
   */
  readonly #open: (OpenAnswer | undefined)[] = [];
  readonly #freePlaces: number[] = [];
  #ended: () => void = () => undefined;

  constructor(access: CallerCheck) {
    this.#access = access;
  }

  /** Number of answers that are being sent. */
  get count(): number {
    return this.#open.length - this.#freePlaces.length;
  }

  /** Adds an answer, until its connection closes, also if the client disconnects before the answer. */
  add(raw: ServerResponse, caller: Caller | undefined): void {
    const place = this.#freePlaces.pop() ?? this.#open.length;
    this.#open[place] = { raw, caller };
    raw.once('close', () => {
      this.#open[place] = undefined;
      this.#freePlaces.push(place);
      this.#ended();
    });
  }

  /** Calls `listener` from now on when an answer has ended. */
  onEnd(listener: () => void): void {
    this.#ended = listener;
  }

  /** Cuts the answers whose caller is no longer valid, or cannot be checked. */
  async check(): Promise<void> {
    const answersByCaller = Map.groupBy(
      this.#open.filter((answer) => answer !== undefined),
      ({ caller }) => caller,
    );
    for (const [caller, answers] of answersByCaller) {
      if (caller === undefined) continue;
      const isValid = await this.#access.isStillValid(caller).catch(() => false);
      if (!isValid) for (const { raw } of answers) raw.destroy();
    }
  }
}
