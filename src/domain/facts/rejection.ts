import type { Instant, Period } from '../time.ts';

/** Reason why the ledger rejects a valid fact or command. src/http/server/problem.ts has the status and title of each code. */
export type Rejection =
  /** A well-formed event of a type of the ledger that is not valid. */
  | {
      readonly code: 'invalid-request' | 'malformed-json' | 'too-large';
      readonly detail: string;
      /** The invalid fields: RFC 6901 pointers into the event, and what is wrong. */
      readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
    }
  | { readonly code: 'event-id-reused'; readonly eventId: string }
  | { readonly code: 'effective-in-future'; readonly effectiveAt: Instant; readonly latest: Instant }
  | { readonly code: 'backdated-too-far'; readonly effectiveAt: Instant; readonly earliest: Instant }
  /** The clock of the producer was never set. */
  | { readonly code: 'effective-implausible'; readonly effectiveAt: Instant; readonly earliest: Instant }
  | {
      readonly code: 'registration-conflict';
      readonly clusterId: string;
      readonly accountId: string;
      readonly knownAccountId: string;
    }
  | {
      readonly code: 'transfer-needs-operator';
      readonly clusterId: string;
      readonly accountId: string;
      readonly knownAccountId: string | undefined;
    }
  | { readonly code: 'correction-needs-operator'; readonly factType: string }
  | { readonly code: 'cluster-deleted'; readonly clusterId: string; readonly deletedAt: Instant }
  | { readonly code: 'void-target-unknown'; readonly clusterId: string; readonly voids: string }
  | { readonly code: 'void-target-not-voidable'; readonly voids: string; readonly targetType: string }
  /** The name given for a cluster matches no registered cluster. */
  | { readonly code: 'cluster-unknown'; readonly named: string }
  | { readonly code: 'cluster-ambiguous'; readonly named: string; readonly candidates: readonly string[] }
  | { readonly code: 'period-not-ended'; readonly period: Period; readonly endsAt: Instant }
  | { readonly code: 'period-in-grace'; readonly period: Period; readonly dueAt: Instant }
  /** Statements begin once. */
  | { readonly code: 'billing-already-begun'; readonly period: Period; readonly begun: Period }
  | { readonly code: 'billing-already-closed'; readonly period: Period; readonly firstClosed: Period }
  /**
   * `next` is absent while nothing was ever billed, so that there is nothing to close. `mayBegin`: statements could still begin with
   * the period instead.
   */
  | {
      readonly code: 'period-not-next';
      readonly period: Period;
      readonly next: Period | undefined;
      readonly mayBegin: boolean;
    };
