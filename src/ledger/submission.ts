import type { Posting } from '../domain/facts/decide-fact.ts';
import type { Fact } from '../domain/facts/fact.ts';
import type { Origin } from '../domain/facts/recorded-fact.ts';
import type { Rejection } from '../domain/facts/rejection.ts';
import type { JsonObject } from '../eventstore/json.ts';
import type { Revision } from '../util/log-numbers.ts';

/** Permissions of the caller who posts facts. */
export type Caller = Pick<Posting, 'mayBackdate' | 'mayTransfer' | 'mayCorrect'>;

/** A fact to be recorded. */
export interface Submission {
  readonly fact: Fact;
  readonly origin: Origin;
  /** The event as it was posted. It is kept if the fact is rejected. */
  readonly event: JsonObject;
  /** Whether the ledger set the effective time. A repeat is then recognized whatever its effective time is. */
  readonly isTimedByLedger?: boolean;
}

/** Why a recorded fact changes nothing: it was voided, or it voids a fact that was voided before. */
export interface NoEffect {
  readonly why: 'voided' | 'target-voided-before';
  /** Event id of the void. */
  readonly voidedBy: string;
}

/** Result of a submission. */
export type Outcome =
  | {
      /** `appended`: the fact is durable now. `duplicate`: it is durable since the same event was first posted. */
      readonly outcome: 'appended' | 'duplicate';
      readonly eventId: string;
      readonly clusterId: string;
      readonly revision: Revision;
      /** Milliseconds since the epoch, by the clock of the process that recorded the fact. */
      readonly recordedAt: number;
      /** Set if the fact changes nothing. */
      readonly noEffect?: NoEffect;
    }
  | { readonly outcome: 'rejected'; readonly rejection: Rejection }
  /** This release cannot read the recorded facts of the cluster, so it cannot decide on new ones. */
  | { readonly outcome: 'halted'; readonly clusterId: string; readonly why: string };
