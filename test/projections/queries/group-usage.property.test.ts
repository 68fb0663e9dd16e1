import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GroupBy } from '../../../src/domain/billing/group.ts';
import { accountUsage } from '../../../src/projections/queries/account-usage.ts';
import { usageByAttributeAt } from '../../oracle/oracle.ts';
import { modelOf } from '../../support/models.ts';
import { forOracle, logs, windows } from '../../support/random-logs.ts';

const groupings: readonly Exclude<GroupBy, 'clusterType'>[] = ['region', { label: 'team' }];

describe.each(groupings)('usage that is grouped by %o', (groupBy) => {
  test('is that of the oracle for every account, window and position', () => {
    fc.assert(
      fc.property(logs, windows, fc.nat(30), ({ facts }, { window, through }, cut) => {
        const asOf = Math.min(cut, facts.length);
        const model = modelOf(facts);
        const known = forOracle(facts);
        for (const accountId of ['acme', 'globex']) {
          const { groups = [] } = accountUsage(model, accountId, {
            window,
            through,
            asOf,
            byDay: false,
            groupBy,
          });
          const bounds = [BigInt(window.from), BigInt(window.to)] as const;
          const expected = usageByAttributeAt(known, asOf, accountId, bounds, BigInt(through), groupBy);
          expect(groups).toEqual(expected.map(({ value, usage }) => ({ value, ...usage })));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('has seconds that add up to the whole', () => {
    fc.assert(
      fc.property(logs, windows, ({ facts }, { window, through }) => {
        const question = { window, through, asOf: facts.length, byDay: false, groupBy };
        const { usage, groups = [] } = accountUsage(modelOf(facts), 'acme', question);
        const milliseconds = (seconds: string) => BigInt(seconds.replace('.', ''));
        const sum = groups.reduce((total, { clusterSeconds }) => total + milliseconds(clusterSeconds), 0n);
        expect(sum).toBe(milliseconds(usage.clusterSeconds));
      }),
      { numRuns: 500 },
    );
  });
});

test('usage that is grouped by cluster type is the usage by type', () => {
  fc.assert(
    fc.property(logs, windows, ({ facts }, { window, through }) => {
      const question = { window, through, asOf: facts.length, byDay: false, groupBy: 'clusterType' as const };
      const { byType, groups = [] } = accountUsage(modelOf(facts), 'acme', question);
      expect(groups).toEqual(byType.map(({ clusterType: value, ...usage }) => ({ value, ...usage })));
    }),
    { numRuns: 200 },
  );
});
