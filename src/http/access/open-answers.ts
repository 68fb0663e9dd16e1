import type { ServerResponse } from 'node:http';
import type { Caller } from '../../domain/access/caller.ts';

/** Checks whether the credential of a caller still holds. */
interface CallerCheck {
  isStillValid(caller: Caller): Promise<boolean>;
}

/**
 * The answers that are being sent, such as streams and long polls. An answer whose caller is no longer valid is cut, so that a
 * revoked key reads nothing more within a minute. Every answer is included; a route need not do anything for it.
 */
export class OpenAnswers {
  readonly #access: CallerCheck;
  readonly #open = new Map<ServerResponse, Caller>();

  constructor(access: CallerCheck) {
    this.#access = access;
  }

  /** Number of answers that are being sent to callers with a credential. */
  get count(): number {
    return this.#open.size;
  }

  /** Adds an answer, until its connection closes, also if the client disconnects before the answer. */
  add(raw: ServerResponse, caller: Caller): void {
    this.#open.set(raw, caller);
    raw.once('close', () => this.#open.delete(raw));
  }

  /** Cuts the answers whose caller is no longer valid, or cannot be checked. */
  async check(): Promise<void> {
    const callers = new Map<Caller, ServerResponse[]>();
    for (const [raw, caller] of this.#open) callers.set(caller, [...(callers.get(caller) ?? []), raw]);
    for (const [caller, answers] of callers) {
      const isValid = await this.#access.isStillValid(caller).catch(() => false);
      if (!isValid) for (const raw of answers) raw.destroy();
    }
  }
}
