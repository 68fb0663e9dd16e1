import { CAUSES, type Fact } from '../../../src/domain/facts/fact.ts';
import type { Submission } from '../../../src/ledger/submission.ts';

/** A request that a client repeats until it gets an answer. */
export type Command =
  | { readonly kind: 'fact'; readonly submission: Submission }
  | { readonly kind: 'close'; readonly period: string }
  | { readonly kind: 'begin'; readonly period: string };

/** An answer that ends a command. */
export type Answer =
  | {
      readonly outcome: 'appended' | 'duplicate';
      readonly eventId: string;
      readonly revision: number;
      /** `null` if the replica has not read the event yet. */
      readonly position: string | null;
      readonly recordedAt: string;
    }
  | { readonly outcome: 'rejected'; readonly code: string }
  | { readonly outcome: 'closed'; readonly digest: string }
  | { readonly outcome: 'begun' };

/** A command that was answered, and the numbers of the steps in which it was sent first and answered. */
export interface Answered {
  readonly command: Command;
  readonly answer: Answer;
  readonly sentAt: number;
  readonly answeredAt: number;
}

export const SOURCE = 'urn:simulated';
const CLUSTERS = ['c1', 'c2', 'c3'];
const ACCOUNTS = ['acme', 'globex'];
const MARCH = Date.UTC(2026, 2);
const TWO_MONTHS_MS = 61 * 86_400_000;

/** Makes random commands, some of which repeat, contradict or void earlier ones. */
export class Commands {
  readonly #random: () => number;
  readonly #made: Submission[] = [];
  /** Event ids that were acknowledged, which a void may name. */
  readonly known: { readonly clusterId: string; readonly eventId: string }[] = [];

  /** How often a command is about a period, as a probability: seldom in most lives, and often in some. */
  readonly #periods: number;

  constructor(random: () => number) {
    this.#random = random;
    this.#periods = 0.04 + 0.3 * random() ** 4;
  }

  next(): Command {
    const dice = this.#random();
    const earlier = this.#pick(this.#made);
    if (dice < this.#periods) {
      const period = this.#pick(['2026-03', '2026-04']) as string;
      return dice < this.#periods / 4 ? { kind: 'begin', period } : { kind: 'close', period };
    }
    if (dice < this.#periods + 0.1 && earlier !== undefined) return { kind: 'fact', submission: earlier };
    const id =
      dice < this.#periods + 0.14 && earlier !== undefined ? earlier.origin.id : `e${this.#made.length}`;
    const fact = this.#fact();
    const submission = { fact, origin: { source: SOURCE, id, actor: 'simulated' }, event: { ...fact, id } };
    this.#made.push(submission);
    return { kind: 'fact', submission };
  }

  #fact(): Fact {
    const clusterId = this.#pick(CLUSTERS) as string;
    const common = {
      clusterId,
      effectiveAt: MARCH + 3_600_000 * Math.floor(this.#random() * (TWO_MONTHS_MS / 3_600_000)),
    };
    const accountId = this.#pick(ACCOUNTS) as string;
    const dice = this.#random();
    if (dice < 0.35) return { ...common, type: 'ClusterRegistered', accountId, name: clusterId };
    if (dice < 0.65) {
      const type = this.#random() < 0.5 ? 'BillingStopped' : 'BillingResumed';
      return { ...common, type, cause: this.#pick(CAUSES) as (typeof CAUSES)[number] };
    }
    if (dice < 0.75) return { ...common, type: 'ClusterChanged', accountId };
    if (dice < 0.82) return { ...common, type: 'ClusterDeleted' };
    const target = this.#pick(this.known);
    if (target === undefined) return { ...common, type: 'ClusterReachable' };
    return {
      ...common,
      clusterId: target.clusterId,
      type: 'FactVoided',
      voids: target.eventId,
      reason: 'a mistake',
    };
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.#random() * from.length)];
  }
}
