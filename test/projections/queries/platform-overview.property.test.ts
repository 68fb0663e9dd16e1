import fc from 'fast-check';
import { expect, test } from 'vitest';
import { viewCluster } from '../../../src/projections/queries/cluster-view.ts';
import { platformOverview } from '../../../src/projections/queries/platform-overview.ts';
import { runAtOnce } from '../../../src/util/event-loop-yielder.ts';
import { modelOf } from '../../support/models.ts';
import { edges, logs } from '../../support/random-logs.ts';

const NOTHING = { from: 0, to: 0 };

test('the clusters of an overview, by status and type, are those that a view of each cluster shows', () => {
  fc.assert(
    fc.property(
      logs,
      fc.constantFrom(...edges),
      fc.constantFrom(undefined, 'acme', 'globex'),
      ({ facts }, now, only) => {
        const model = modelOf(facts);
        const overview = runAtOnce(platformOverview(model, { now, month: NOTHING, days: NOTHING, only }));
        const views = Array.from(model.clusters.texts.keys(), (cluster) => viewCluster(model, cluster, now));
        const own = views.filter(({ attributes }) => only === undefined || attributes.accountId === only);
        for (const [status, count] of Object.entries(overview.statuses))
          expect(count, status).toBe(own.filter((view) => view.status === status).length);
        const billed = own.filter(({ status }) => status === 'billed');
        for (const { clusterType, billed: count } of overview.billedByType)
          expect(count).toBe(
            billed.filter(({ attributes }) => (attributes.clusterType ?? null) === clusterType).length,
          );
        expect(overview.billedByType.reduce((sum, { billed: count }) => sum + count, 0)).toBe(billed.length);
      },
    ),
    { numRuns: 1_000 },
  );
});
