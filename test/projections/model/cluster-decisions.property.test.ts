import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isNotice } from '../../../src/domain/facts/decide-fact.ts';
import type { Cause, Fact } from '../../../src/domain/facts/fact.ts';
import { isUnreachable } from '../../../src/domain/facts/latest-observation.ts';
import type { AlertedState } from '../../../src/projections/alerts/raised-alert.ts';
import type { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import { applyTo, idAt, modelOf } from '../../support/models.ts';
import { randomFacts } from '../../support/random-facts.ts';

const facts = randomFacts({
  clusterId: fc.constantFrom('c0', 'c0', 'c1'),
  // Few instants, so that facts often meet at one.
  effectiveAt: fc.integer({ min: 0, max: 9 }),
  ownerOf: () => fc.constantFrom('acme', 'globex'),
  newOwner: fc.constantFrom('acme', 'globex'),
  cause: fc.constantFrom('unreachable', 'unreachable', 'unreachable', 'missing', 'manual', 'deleted'),
  observation: fc.constantFrom('ClusterUnreachable', 'ClusterReachable', 'ClusterDeletionRequested'),
  // A void may name a fact of the other cluster, a later one, another void, or none.
  voids: fc.integer({ min: 1, max: 30 }).map(idAt),
  weights: { registered: 2, changed: 2, deleted: 1, switched: 6, observed: 4, voided: 3 },
});
const logs = fc.array(facts, { minLength: 1, maxLength: 28, size: 'max' });

const deletion: Fact = { clusterId: 'c0', effectiveAt: 0, type: 'ClusterDeleted' };
const observation: Fact = { clusterId: 'c0', effectiveAt: 0, type: 'ClusterUnreachable' };
const voidOf = (position: number): Fact => ({
  clusterId: 'c0',
  effectiveAt: 0,
  type: 'FactVoided',
  voids: idAt(position),
  reason: 'a mistake',
});

/** The state of a cluster from a fold of all of its facts. */
function foldedState(model: LedgerModel, cluster: number): AlertedState {
  const { registration, deletion, switches, attributes } = model.billing(cluster, model.position);
  const active = model.activeFacts(cluster, model.position);
  const stoppedSince = (cause: Cause) => {
    const stop = switches[cause].at(-1);
    return stop?.stops === true ? stop.at : undefined;
  };
  return {
    accountId: registration === undefined ? undefined : attributes.accountId.at(-1)?.value,
    registered: registration !== undefined,
    hasActiveFacts: active.some(({ fact }) => !isNotice(fact)),
    deleted: deletion !== undefined,
    unreachable: isUnreachable(active),
    stoppedSince: stoppedSince('unreachable'),
    missingSince: stoppedSince('missing'),
    mayBeBilled: (attributes.billable.at(-1)?.value ?? true) && stoppedSince('manual') === undefined,
  };
}

describe('the state of a cluster', () => {
  test('equals the fold of its facts after every fact, from whatever fact on it is asked for', () => {
    fc.assert(
      fc.property(logs, fc.nat(28), (log, first) => {
        const model = modelOf([]);
        for (const [i, fact] of log.entries()) {
          applyTo(model, fact);
          if (i < first) continue;
          for (const cluster of model.clusters.texts.keys())
            expect(model.clusterState(cluster)).toEqual(foldedState(model, cluster));
        }
      }),
      {
        numRuns: 1_500,
        examples: [
          // A deletion whose void comes first is voided once more, while an observation is active.
          [[voidOf(2), deletion, observation, voidOf(2)], 0],
        ],
      },
    );
  });
});
