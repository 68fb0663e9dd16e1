import type { DeletionOut } from '../api/deletions.ts';
import {
  confirmBy,
  type Deletion,
  type DeletionFact,
  deletionState,
  deletionsOf,
} from '../domain/cluster-deletion.ts';
import { originOf, parseStoredFact } from '../domain/facts/recorded-fact.ts';
import { clusterStream } from '../domain/stream-table.ts';
import { instantOut } from './params/fields.ts';
import type { HttpServices } from './server/app.ts';

/** Reads the facts of a cluster from its stream, as deletions are folded from them. The index of a fact is its revision. */
export async function readDeletionFacts(
  { store }: Pick<HttpServices, 'store'>,
  clusterId: string,
): Promise<DeletionFact[]> {
  const facts = [];
  for await (const event of store.readStream(clusterStream(clusterId))) {
    const fact = parseStoredFact(clusterId, event);
    facts.push({ fact, eventId: event.id, recordedAt: event.recordedAt, actor: originOf(event).actor });
  }
  return facts;
}

/** Reads the deletions of a cluster from its stream. */
export async function readDeletions(
  services: Pick<HttpServices, 'store'>,
  clusterId: string,
): Promise<Deletion[]> {
  return deletionsOf(await readDeletionFacts(services, clusterId));
}

/** Returns a deletion as answers have it, with the state that it has now. */
export function deletionOut(
  { projections, now, clockGuard }: HttpServices,
  clusterId: string,
  deletion: Deletion,
): DeletionOut {
  const { deletionId, requested, confirmed, begun, failed, cancelled, deleted } = deletion;
  const verifiedGone =
    deleted !== undefined && projections.model.validations.historyOf(clusterId)?.announced.gone === true;
  // While the clock cannot be trusted, no deadline is over.
  const at = clockGuard.doubt === undefined ? now() : (confirmed?.at ?? 0);
  const state = deletionState(deletion, at, verifiedGone);
  const until = state === 'requested' ? confirmBy(deletion) : undefined;
  const step = ({
    at: stepAt,
    ...rest
  }: {
    readonly at: number;
    readonly by: string;
    readonly reason?: string;
  }) => ({
    at: instantOut(stepAt),
    ...rest,
  });
  return {
    deletionId,
    clusterId,
    state,
    ...(until !== undefined && { expiresAt: instantOut(until) }),
    ...(requested && { requested: step(requested) }),
    ...(confirmed && { confirmed: step(confirmed) }),
    ...(begun && { begun: step(begun) }),
    ...(failed && { failed: step(failed) }),
    ...(cancelled && { cancelled: step(cancelled) }),
    ...(deleted && {
      deleted: {
        at: instantOut(deleted.at),
        by: deleted.by,
        ...(deleted.reason !== undefined && { reason: deleted.reason }),
        effectiveAt: instantOut(deleted.effectiveAt),
      },
    }),
    verifiedGone,
  };
}
