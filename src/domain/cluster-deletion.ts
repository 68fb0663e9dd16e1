import type { Fact } from './facts/fact.ts';
import { HOUR_MS, type Instant, MINUTE_MS } from './time.ts';

/** How long a deletion can be confirmed after it was requested. */
export const CONFIRM_WITHIN_MS = 10 * MINUTE_MS;
/** Hours after the confirmation from which a deletion without a `ClusterDeleted` is stuck. */
export const STUCK_AFTER_HOURS = 2;

export const DELETION_STATES = [
  'requested',
  'confirmed',
  'deprovisioning',
  'billing-stopped',
  'verified-gone',
  'cancelled',
  'failed',
  'stuck',
] as const;
export type DeletionState = (typeof DELETION_STATES)[number];

/** Who decides that a cluster is gone: the application that deletes it, or the confirmation itself. */
export const DELETION_MODES = ['external', 'ledger-only'] as const;
export type DeletionMode = (typeof DELETION_MODES)[number];

/** A fact about a cluster as deletions are folded from it, in the order of the stream. */
export interface DeletionFact {
  readonly fact: Fact;
  readonly eventId: string;
  readonly recordedAt: Instant;
  readonly actor: string;
}

/** A step of a deletion. */
interface Step {
  readonly at: Instant;
  readonly by: string;
  readonly reason?: string;
}

/** A deletion, folded from the facts of its cluster. */
export interface Deletion {
  readonly deletionId: string;
  readonly requested?: Step;
  readonly confirmed?: Step;
  /** The application reported that it has begun, or the cluster stopped answering. */
  readonly begun?: Step;
  readonly failed?: Step;
  readonly cancelled?: Step;
  /** The cluster was deleted, which ends its bill. */
  readonly deleted?: Step & { readonly effectiveAt: Instant };
}

/**
 * Returns the deletions of a cluster in the order of their first facts. A deletion is known by its id. When the `ClusterDeleted` that
 * ended a deletion is voided, the cluster is kept: the void cancels the deletion, until another `ClusterDeleted` ends it.
 */
export function deletionsOf(facts: readonly DeletionFact[]): Deletion[] {
  const voided = new Set(facts.flatMap(({ fact }) => (fact.type === 'FactVoided' ? [fact.voids] : [])));
  const deletions = new Map<string, Deletion>();
  /** Ids of the deletions that a voided `ClusterDeleted` ended, by its event id. */
  const wronglyEnded = new Map<string, string>();
  /** The deletion that a void cancelled last, as it was before. */
  let kept: Deletion | undefined;
  const change = (deletionId: string, step: Partial<Deletion>) =>
    deletions.set(deletionId, { ...deletions.get(deletionId), ...step, deletionId });
  for (const { fact, eventId, recordedAt: at, actor: by } of facts) {
    if (voided.has(eventId)) {
      const ended = fact.type === 'ClusterDeleted' ? [...deletions.values()].findLast(isOpen) : undefined;
      if (ended !== undefined) wronglyEnded.set(eventId, ended.deletionId);
      continue;
    }
    const step = { at, by, ...('reason' in fact && fact.reason !== undefined && { reason: fact.reason }) };
    const id = 'deletionId' in fact ? fact.deletionId : undefined;
    if (id !== undefined) {
      const known = deletions.get(id);
      if (fact.type === 'ClusterDeletionRequested' && known?.requested === undefined)
        change(id, { requested: step });
      // The application confirms a deletion once more to report that it has begun, also after a failure.
      if (fact.type === 'ClusterDeletionConfirmed')
        change(id, known?.confirmed === undefined ? { confirmed: step } : { begun: step });
      if (fact.type === 'ClusterDeletionFailed') change(id, { failed: step });
      if (fact.type === 'ClusterDeletionCancelled') change(id, { cancelled: step });
    }
    if (fact.type === 'FactVoided') {
      const ended = deletions.get(wronglyEnded.get(fact.voids) ?? '');
      if (ended !== undefined && isOpen(ended)) {
        kept = ended;
        change(ended.deletionId, { cancelled: step });
      }
    }
    if (fact.type !== 'ClusterUnreachable' && fact.type !== 'ClusterDeleted') continue;
    const last =
      [...deletions.values()].findLast(isOpen) ?? (fact.type === 'ClusterDeleted' ? kept : undefined);
    if (last === undefined) continue;
    if (fact.type === 'ClusterDeleted')
      deletions.set(last.deletionId, { ...last, deleted: { ...step, effectiveAt: fact.effectiveAt } });
    else if (isUnderWay(last)) change(last.deletionId, { begun: last.begun ?? step });
  }
  return [...deletions.values()];
}

function isOpen({ cancelled, deleted }: Deletion): boolean {
  return cancelled === undefined && deleted === undefined;
}

/** Returns whether a deletion is confirmed and has not ended. */
export function isUnderWay(deletion: Deletion): boolean {
  return deletion.confirmed !== undefined && isOpen(deletion);
}

/** Returns the last instant at which a deletion can be confirmed; `undefined` if it was never requested. */
export function confirmBy({ requested }: Deletion): Instant | undefined {
  return requested === undefined ? undefined : requested.at + CONFIRM_WITHIN_MS;
}

/** @param isGone whether the validator has verified that the cluster is gone. */
export function deletionState(deletion: Deletion, now: Instant, isGone: boolean): DeletionState {
  const { confirmed, begun, failed, cancelled, deleted } = deletion;
  if (deleted !== undefined) return isGone ? 'verified-gone' : 'billing-stopped';
  if (cancelled !== undefined) return 'cancelled';
  if (failed !== undefined && failed.at >= (begun?.at ?? 0)) return 'failed';
  if (confirmed === undefined) return 'requested';
  if (now - confirmed.at >= STUCK_AFTER_HOURS * HOUR_MS) return 'stuck';
  return begun === undefined ? 'confirmed' : 'deprovisioning';
}
