import type { Fact } from '../../src/domain/facts/fact.ts';
import type { Submission } from '../../src/ledger/submission.ts';

export const NOW = Date.parse('2026-04-15T12:00:00.000Z');

export function registration(clusterId: string, effectiveAt = NOW): Fact {
  return {
    type: 'ClusterRegistered',
    clusterId,
    effectiveAt,
    accountId: 'acme',
    name: 'c',
    billable: true,
  } as Fact;
}

export function deletion(clusterId: string, effectiveAt = NOW): Fact {
  return { type: 'ClusterDeleted', clusterId, effectiveAt } as Fact;
}

/** A submission of a fact under an id of its producer. */
export function submissionOf(fact: Fact, id: string, more: Partial<Submission> = {}): Submission {
  return { fact, origin: { source: 'urn:test', id, actor: 'tester' }, event: { id }, ...more };
}
