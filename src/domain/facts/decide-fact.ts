import { DAY_MS, type Instant, MINUTE_MS } from '../time.ts';
import type { Fact, FactOf } from './fact.ts';
import type { FactLookup } from './known-facts.ts';
import type { Rejection } from './rejection.ts';

/** Maximum time that a fact may be effective after the ledger's clock. */
export const FUTURE_TOLERANCE_MS = 5 * MINUTE_MS;
/** Default of the maximum time that a fact may be effective before the ledger's clock, unless an operator posts it. */
export const DEFAULT_BACKDATING_MS = 35 * DAY_MS;
/** The earliest instant at which any fact may be effective: an earlier one comes from a clock that was never set. */
export const EARLIEST_PLAUSIBLE: Instant = Date.UTC(2010, 0);

/** Facts that only operators post: they decide about the bill, and do not report what happened. */
const CORRECTIONS: ReadonlySet<Fact['type']> = new Set(['BillingStopped', 'BillingResumed', 'FactVoided']);

/** When and by whom a fact is posted. */
export interface Posting {
  readonly now: Instant;
  /** Whether the caller may post facts of long ago. */
  readonly mayBackdate: boolean;
  /** Whether the caller may transfer a cluster to another account, as operators may; by default not. */
  readonly mayTransfer?: boolean;
  /** Whether the caller may stop and resume billing, and void facts; by default it may. */
  readonly mayCorrect?: boolean;
  /** How far back others may post, in milliseconds. */
  readonly backdatingMs?: number;
}

export type Decision =
  | { readonly ok: true /** Facts to record, in one write. */; readonly facts: readonly [Fact, ...Fact[]] }
  | { readonly ok: false; readonly rejection: Rejection };

/**
 * Decides whether a fact may be recorded, and which notice is recorded with it. The first rule that fails determines the
 * rejection.
 * @param known the facts of the cluster so far.
 */
export function decide(known: FactLookup, fact: Fact, posting: Posting): Decision {
  const rejection = rejectionFor(known, fact, posting);
  if (rejection !== undefined) return { ok: false, rejection };
  const notice = noticeFor(known, fact);
  return { ok: true, facts: notice === undefined ? [fact] : [fact, notice] };
}

function rejectionFor(known: FactLookup, fact: Fact, posting: Posting): Rejection | undefined {
  const { type, effectiveAt } = fact;
  if (posting.mayCorrect === false && CORRECTIONS.has(type))
    return { code: 'correction-needs-operator', factType: type };
  if (effectiveAt < EARLIEST_PLAUSIBLE)
    return { code: 'effective-implausible', effectiveAt, earliest: EARLIEST_PLAUSIBLE };
  const latest = posting.now + FUTURE_TOLERANCE_MS;
  if (effectiveAt > latest) return { code: 'effective-in-future', effectiveAt, latest };
  const earliest = posting.now - (posting.backdatingMs ?? DEFAULT_BACKDATING_MS);
  if (effectiveAt < earliest && !posting.mayBackdate)
    return { code: 'backdated-too-far', effectiveAt, earliest };
  if (fact.type === 'ClusterRegistered') return rejectRegistration(known, fact);
  if (fact.type === 'ClusterChanged') return rejectChange(known, fact, posting);
  if (fact.type === 'FactVoided') return rejectVoid(known, fact);
  return undefined;
}

function rejectRegistration(
  known: FactLookup,
  { clusterId, accountId, effectiveAt }: FactOf<'ClusterRegistered'>,
): Rejection | undefined {
  const knownAccountId = known.ownerAt(effectiveAt);
  if (knownAccountId !== undefined && knownAccountId !== accountId)
    return { code: 'registration-conflict', clusterId, accountId, knownAccountId };
  const { deletedAt } = known;
  if (deletedAt !== undefined && effectiveAt >= deletedAt)
    return { code: 'cluster-deleted', clusterId, deletedAt };
  return undefined;
}

function rejectChange(
  known: FactLookup,
  { clusterId, accountId, effectiveAt }: FactOf<'ClusterChanged'>,
  { mayTransfer = false }: Posting,
): Rejection | undefined {
  if (accountId === undefined || mayTransfer) return undefined;
  const knownAccountId = known.ownerAt(effectiveAt);
  if (knownAccountId === accountId) return undefined;
  return { code: 'transfer-needs-operator', clusterId, accountId, knownAccountId };
}

function rejectVoid(known: FactLookup, { clusterId, voids }: FactOf<'FactVoided'>): Rejection | undefined {
  const target = known.find(voids);
  if (target === undefined) return { code: 'void-target-unknown', clusterId, voids };
  if (target.fact.type === 'FactVoided' || isNotice(target.fact)) {
    return { code: 'void-target-not-voidable', voids, targetType: target.fact.type };
  }
  return undefined;
}

/** Returns whether the ledger appended the fact as a notice for consumers. A notice never stops or resumes billing. */
export function isNotice(fact: object): boolean {
  return 'cause' in fact && fact.cause === 'deleted';
}

function noticeFor(known: FactLookup, fact: Fact): Fact | undefined {
  const { clusterId, effectiveAt } = fact;
  if (fact.type === 'ClusterDeleted')
    return { type: 'BillingStopped', clusterId, effectiveAt, cause: 'deleted' };
  if (fact.type !== 'FactVoided') return undefined;
  const target = known.find(fact.voids);
  if (target?.fact.type !== 'ClusterDeleted' || known.voidOf(fact.voids) !== undefined) return undefined;
  return { type: 'BillingResumed', clusterId, effectiveAt: target.fact.effectiveAt, cause: 'deleted' };
}
