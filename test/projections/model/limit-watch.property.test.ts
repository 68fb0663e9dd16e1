import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { useOfLimits } from '../../../src/domain/account-profile.ts';
import { CAUSES, type Fact } from '../../../src/domain/facts/fact.ts';
import { ACCOUNT_DESCRIBED, accountStream } from '../../../src/domain/stream-table.ts';
import type { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import { decodeModel, encodeModel } from '../../../src/projections/model/snapshot.ts';
import { applyTo, idAt, modelOf } from '../../support/models.ts';
import { randomFacts } from '../../support/random-facts.ts';

const LIMITS = { '*': 2, vcluster: 1, workload: 1 };

const facts = randomFacts({
  clusterId: fc.constantFrom('c0', 'c1', 'c2', 'c3', 'c4'),
  // The event at a position is recorded at that instant, so that some facts are ahead of it.
  effectiveAt: fc.integer({ min: 0, max: 45 }),
  ownerOf: () => fc.constantFrom('acme', 'acme', 'globex'),
  newOwner: fc.constantFrom('acme', 'globex'),
  cause: fc.constantFrom(...CAUSES),
  observation: fc.constant('ClusterReachable'),
  voids: fc.integer({ min: 1, max: 40 }).map(idAt),
  weights: { registered: 4, changed: 3, deleted: 1, switched: 4, observed: 0, voided: 2 },
});
const profile = fc.constantFrom('limits' as const, 'none' as const);
const steps = fc.array(fc.oneof({ weight: 12, arbitrary: facts }, { weight: 1, arbitrary: profile }), {
  minLength: 1,
  maxLength: 40,
  size: 'max',
});

function describeAcme(model: LedgerModel, limits: object): void {
  const position = model.position + 1;
  model.apply({
    ...{ id: idAt(position), type: ACCOUNT_DESCRIBED, data: { ...limits }, metadata: {} },
    ...{ stream: accountStream('acme'), revision: 0, position, recordedAt: position },
  });
}

/** The clusters billed to acme at an instant, counted from the intervals of all clusters. */
function counted(model: LedgerModel, at: number): Map<string | null, number> {
  const billed = new Map<string | null, number>();
  for (const cluster of model.clusters.texts.keys())
    for (const { from, to, accountId, clusterType } of model.intervals(cluster, model.position))
      if (accountId === 'acme' && from <= at && (to === null || at < to))
        billed.set(clusterType, (billed.get(clusterType) ?? 0) + 1);
  return billed;
}

/** Applies a step. @returns whether it is one after which the limits of acme are compared. */
function apply(model: LedgerModel, step: Fact | 'limits' | 'none'): boolean {
  if (step === 'limits' || step === 'none') {
    describeAcme(model, step === 'limits' ? { limits: LIMITS } : {});
    return true;
  }
  applyTo(model, step);
  const decides = step.type === 'FactVoided' || model.facts.decidesBilling(model.position);
  const cluster = model.clusters.find(step.clusterId) as number;
  return decides && model.owners.ownersOf(cluster).some((account) => model.accounts.text(account) === 'acme');
}

describe('the alerts about limits', () => {
  test('are those of a count of all clusters after every fact, also in a restored model', () => {
    fc.assert(
      fc.property(steps, fc.nat(40), (log, restoredAfter) => {
        let model = modelOf([]);
        describeAcme(model, { limits: LIMITS });
        let limits: Record<string, number> = LIMITS;
        for (const [i, step] of log.entries()) {
          if (i === restoredAfter) model = decodeModel(encodeModel(model));
          if (step === 'limits') limits = LIMITS;
          if (step === 'none') limits = {};
          if (!apply(model, step)) continue;
          const uses = useOfLimits(limits, counted(model, model.position));
          const reached = uses.filter(({ left }) => left === 0);
          const open = model.alerts.all(model.position, []).filter((alert) => alert.resolvedAt === undefined);
          const alerts = open.filter(({ kind }) => kind === 'limit-reached').map(({ data }) => data);
          expect(new Map(alerts.map((data) => [data['clusterType'], data['billed']]))).toEqual(
            new Map(reached.map(({ clusterType, billed }) => [clusterType, billed])),
          );
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
