import type { Origin } from '../domain/facts/recorded-fact.ts';
import { clusterStream } from '../domain/stream-table.ts';
import type { Append } from '../eventstore/event-store.ts';
import type { LoadedHistory } from './cluster-history-cache.ts';
import { planInto, type StampedPosting } from './plan-append.ts';
import type { Outcome, Submission } from './submission.ts';

/** Why nothing is recorded for a cluster: this release cannot read its facts. */
export type Halted = Extract<Outcome, { outcome: 'halted' }>;

/** The submissions of one cluster in a call of `Ledger.record`, and how many of them are settled. */
export class ClusterTurn {
  readonly clusterId: string;
  readonly #submissions: Submission[];
  /** Indexes of the submissions in the call. */
  readonly #indexes: number[];
  #settled = 0;
  /** The facts that the submissions are decided on. Set before `plan`. */
  loaded: LoadedHistory | Halted | undefined;
  /** Outcomes of the next submissions once `append` is recorded. */
  #outcomes: readonly Outcome[] = [];
  /** The append of the plan; `undefined` if it adds nothing. */
  append: Append | undefined;

  /** @param index of the first submission in the call. */
  constructor(first: Submission, index: number) {
    this.clusterId = first.fact.clusterId;
    // Most turns have one submission: an empty list would get room for 17 with it.
    this.#submissions = [first];
    this.#indexes = [index];
  }

  /** Adds a submission. @param index in the call. */
  add(submission: Submission, index: number): void {
    this.#submissions.push(submission);
    this.#indexes.push(index);
  }

  /** The producers' events of the submissions. */
  get origins(): readonly Origin[] {
    return this.#submissions.map(({ origin }) => origin);
  }

  /** Whether facts must be read before the turn is planned. */
  get mustRead(): boolean {
    if (this.loaded === undefined) return true;
    return 'history' in this.loaded && this.loaded.history.unread(this.origins).length > 0;
  }

  get isSettled(): boolean {
    return this.#settled === this.#submissions.length;
  }

  /** Plans the next append, and adds its facts to the history. @returns false if the history must be read again. */
  plan(posting: StampedPosting): boolean {
    const rest = this.#settled === 0 ? this.#submissions : this.#submissions.slice(this.#settled);
    const loaded = this.loaded as LoadedHistory | Halted;
    this.append = undefined;
    if ('outcome' in loaded) {
      this.#outcomes = rest.map(() => loaded);
      return true;
    }
    const { history, isFresh } = loaded;
    const expected = history.length === 0 ? 'absent' : history.length - 1;
    const { outcomes, events } = planInto(history, rest, posting);
    this.#outcomes = outcomes;
    if (events.length > 0) this.append = { stream: clusterStream(this.clusterId), events, expected };
    // A history that may be stale must not reject a fact.
    return isFresh || !outcomes.some(({ outcome }) => outcome === 'rejected');
  }

  /** Hands over the outcomes of the plan, because its append is recorded. @param outcomes of the call, by index. */
  settle(outcomes: Outcome[]): void {
    for (const outcome of this.#outcomes) outcomes[this.#indexes[this.#settled++] as number] = outcome;
    this.#outcomes = [];
  }
}
