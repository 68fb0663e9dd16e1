import { fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';

/**
 * What is known about a charge:
 * - `sending`: a request leaves, its outcome is unknown.
 * - `failed`: it had no answer, or a failure; its outcome is still unknown.
 * - `not-taken`: Stripe answered that it has not taken the charge.
 * - `accepted`: Stripe has the charge.
 */
type State = 'sending' | 'failed' | 'not-taken' | 'accepted';

interface Entry {
  readonly identifier: string;
  readonly state: State;
  readonly at: string;
}

/**
 * The file of charges that were sent, one JSON object a line, on the disk before a request leaves and after its answer. Stripe
 * recognizes a repeated identifier for at least 24 hours only; the journal recognizes it for ever.
 */
export class Journal {
  readonly #file: number;
  readonly #accepted = new Set<string>();
  /** When the first request whose outcome is unknown was sent. */
  readonly #sentAt = new Map<string, number>();
  readonly #failures = new Map<string, number>();

  constructor(path: string) {
    this.#file = openSync(path, 'a+', 0o600);
    const lines = readFileSync(path, 'utf8').split('\n');
    // Without a line feed the last line was being written when the process ended; its request had not left yet.
    const torn = lines.pop();
    if (torn !== '') writeSync(this.#file, '\n');
    for (const line of lines) if (line.endsWith('}')) this.#apply(JSON.parse(line));
  }

  isAccepted(identifier: string): boolean {
    return this.#accepted.has(identifier);
  }

  /** Says whether a request was sent at least `ageMs` ago and its outcome is still unknown. */
  isUnknownFor(identifier: string, ageMs: number, now: number): boolean {
    const sentAt = this.#sentAt.get(identifier);
    return sentAt !== undefined && now - sentAt >= ageMs;
  }

  /** Returns how often sending the charge has failed. */
  failures(identifier: string): number {
    return this.#failures.get(identifier) ?? 0;
  }

  /** Returns when the entry is on the disk. */
  write(identifier: string, state: State, now: number): void {
    const entry: Entry = { identifier, state, at: new Date(now).toISOString() };
    writeSync(this.#file, `${JSON.stringify(entry)}\n`);
    fsyncSync(this.#file);
    this.#apply(entry);
  }

  #apply({ identifier, state, at }: Entry): void {
    if (state === 'accepted') this.#accepted.add(identifier);
    if (state === 'failed') this.#failures.set(identifier, this.failures(identifier) + 1);
    if (state === 'not-taken') this.#sentAt.delete(identifier);
    if (state === 'sending' && !this.#sentAt.has(identifier)) this.#sentAt.set(identifier, Date.parse(at));
  }
}
