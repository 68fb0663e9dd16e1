import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CAUSES, type Fact } from '../../../src/domain/facts/fact.ts';
import { DAY_MS, HOUR_MS } from '../../../src/domain/time.ts';
import { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import { decodeModel, encodeModel } from '../../../src/projections/model/snapshot.ts';
import { applyTo, idAt, nextRevision } from '../../support/models.ts';
import { randomFacts } from '../../support/random-facts.ts';

const ACCOUNTS = ['acme', 'globex'];
const clusters = Array.from({ length: 14 }, (_, i) => `c${i}`);

const facts = randomFacts({
  clusterId: fc.constantFrom(...clusters),
  effectiveAt: fc.constant(0),
  ownerOf: () => fc.constantFrom('acme', 'acme', 'globex'),
  newOwner: fc.constantFrom(...ACCOUNTS),
  cause: fc.constantFrom(...CAUSES),
  observation: fc.constant('ClusterReachable'),
  voids: fc.integer({ min: 1, max: 60 }).map(idAt),
  weights: { registered: 8, changed: 2, deleted: 2, switched: 8, observed: 1, voided: 1 },
});
/** Facts, with the hours that pass before each is recorded, and how many hours before its recording it took effect. */
const step = fc.record({
  fact: facts,
  passed: fc.constantFrom(0, 0, 0, 0, 1, 14),
  late: fc.constantFrom(0, 0, 0, 1, 3, 30),
});
const log = fc.array(step, {
  minLength: 10,
  maxLength: 60,
  size: 'max',
});

/** The number of clusters billed to an account at an instant, counted from the intervals of all clusters. */
function counted(model: LedgerModel, account: string, at: number): number {
  const billed = [...model.clusters.texts.keys()].flatMap((cluster) =>
    model
      .intervals(cluster, model.position)
      .filter(({ from, to, accountId }) => accountId === account && from <= at && (to === null || at < to)),
  );
  return billed.length;
}

function registerAt(model: LedgerModel, clusterId: string, at: number): void {
  const fact = { type: 'ClusterRegistered', clusterId, effectiveAt: at, accountId: 'acme', name: 'c' };
  applyTo(model, fact as Fact, nextRevision(model, fact as Fact), at);
}

describe('the jumps of the number of billed clusters', () => {
  test('are those that a count of all clusters finds after every fact, also in a restored model', () => {
    let jumps = 0;
    fc.assert(
      fc.property(log, fc.nat(60), (steps, restoredAfter) => {
        let model = new LedgerModel();
        let now = 4 * DAY_MS;
        for (const clusterId of clusters.slice(0, 8)) registerAt(model, clusterId, DAY_MS);
        for (const [i, { fact, passed, late }] of steps.entries()) {
          if (i === restoredAfter) model = decodeModel(encodeModel(model));
          now += passed * HOUR_MS;
          applyTo(model, { ...fact, effectiveAt: now - late * HOUR_MS }, nextRevision(model, fact), now);
          const found = model.countJumps(now).map(({ account, before, after }) => ({
            ...{ account: model.accounts.text(account), before, after },
          }));
          const expected = ACCOUNTS.flatMap((account) => {
            const [before, after] = [counted(model, account, now - DAY_MS), counted(model, account, now)];
            const moved = Math.abs(after - before);
            return moved >= 5 && moved > before / 2 ? [{ account, before, after }] : [];
          });
          jumps += expected.length;
          expect(found.sort((a, b) => (a.account < b.account ? -1 : 1))).toEqual(expected);
        }
      }),
      { numRuns: 300 },
    );
    expect(jumps).toBeGreaterThan(20);
  });

  test('begin when the difference became so large, and end a day later', () => {
    const model = new LedgerModel();
    for (const [i, clusterId] of clusters.slice(0, 6).entries())
      registerAt(model, clusterId, (i + 1) * HOUR_MS);
    const since = 5 * HOUR_MS;
    expect(model.countJumps(4 * HOUR_MS + 1)).toEqual([]);
    expect(model.countJumps(7 * HOUR_MS)).toMatchObject([{ since, before: 0, after: 6 }]);
    expect(model.countJumps(DAY_MS + HOUR_MS - 1)).toMatchObject([{ since, before: 0, after: 6 }]);
    expect(model.countJumps(DAY_MS + 3 * HOUR_MS)).toEqual([]);
  });
});
