import type { ExpectedRevision, ProposedEvent, WriteOutcome, WriteResult } from './records.ts';
import type { Endpoint } from './rpc-errors.ts';

/**
 * How a write can fail on a real server. `'unavailable'` and `'cancelled'` end the call; so does `notLeader`, and on the
 * batch path the call is shared: what else is in flight on it fails too.
 */
export type WriteFailure =
  | 'not-ready'
  | 'busy'
  | 'timeout'
  | 'wrong-expected-revision'
  | 'stream-deleted'
  | 'access-denied'
  | 'unknown'
  | 'unavailable'
  | 'cancelled'
  | { readonly notLeader: Endpoint };

/** How a read or a subscription can fail before it delivers anything. */
export type ReadFailure =
  | 'not-ready'
  | 'busy'
  | 'access-denied'
  | 'unknown'
  | 'unavailable'
  | 'cancelled'
  | { readonly notLeader: Endpoint };

/** A write that arrived, as a test sees it. */
export interface ArrivedWrite {
  readonly op: 'append' | 'soft delete' | 'tombstone';
  readonly path: 'batch' | 'single';
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly ProposedEvent[];
}

/** The reply to the next write: the log's answer, another answer, or none. */
export type WriteReply =
  | { readonly reply: 'outcome'; readonly outcome: WriteOutcome }
  | { readonly reply: 'failure'; readonly failure: WriteFailure }
  | { readonly reply: 'none' };

/** A right that a user does not have. */
export type Denial = 'read $all' | 'read streams' | 'write streams' | { readonly writeStream: string };

interface PlannedFailure {
  readonly failure: WriteFailure;
  readonly applied: boolean;
}

/** The faults that tests have requested. */
export class Faults {
  /** All writes that arrived, answered or not, in the order in which the server handled them. */
  readonly arrivedWrites: ArrivedWrite[] = [];
  readonly #writeFailures: PlannedFailure[] = [];
  readonly #readFailures: ReadFailure[] = [];
  #unanswered: { readonly applied: boolean } | undefined;
  /** The rights that the user does not have. */
  denied: readonly Denial[] = [];

  stopAnsweringWrites(applied: boolean): void {
    this.#unanswered = { applied };
  }

  answerWrites(): void {
    this.#unanswered = undefined;
  }

  failNextWrite(failure: WriteFailure, applied: boolean): void {
    this.#writeFailures.push({ failure, applied });
  }

  failNextRead(failure: ReadFailure): void {
    this.#readFailures.push(failure);
  }

  takeReadFailure(): ReadFailure | undefined {
    return this.#readFailures.shift();
  }

  /** @param apply writes to the log; called at most once. */
  handleWrite(write: ArrivedWrite, apply: () => WriteResult): WriteReply {
    this.arrivedWrites.push(write);
    if (this.#unanswered !== undefined) {
      if (this.#unanswered.applied) apply();
      return { reply: 'none' };
    }
    if (this.#isWriteDenied(write.stream)) return { reply: 'failure', failure: 'access-denied' };
    const planned = this.#writeFailures.shift();
    if (planned === undefined) {
      const outcome = apply();
      return outcome.result === 'no-answer' ? { reply: 'none' } : { reply: 'outcome', outcome };
    }
    if (planned.applied) apply();
    return { reply: 'failure', failure: planned.failure };
  }

  isReadDenied(what: 'read $all' | 'read streams'): boolean {
    return this.denied.includes(what);
  }

  #isWriteDenied(stream: string): boolean {
    return this.denied.some(
      (denial) => denial === 'write streams' || (typeof denial === 'object' && denial.writeStream === stream),
    );
  }
}
