import { describe, expect, test } from 'vitest';
import { ClusterDetails } from '../../../src/projections/model/cluster-details.ts';
import { StringInterner } from '../../../src/projections/model/string-interner.ts';

const AT = Date.parse('2026-04-15T12:00:00.000Z');

/** A registration in one of some regions, `n` of them. */
function registered(n: number, region: number) {
  const fact = { type: 'ClusterRegistered', clusterId: `c${n}`, effectiveAt: AT, accountId: 'a1' } as const;
  return { ...fact, name: `cluster ${n}`, region: `region-${region}`, labels: { team: 'payments' } };
}

function noted(details: ClusterDetails, from: number, to: number, regions: number): ClusterDetails {
  for (let n = from; n < to; n++) details.note(n + 1, registered(n, n % regions));
  return details;
}

describe('the attributes of clusters', () => {
  test('take one object for all facts that say the same, apart from the name', () => {
    const { said, shared } = noted(new ClusterDetails(new StringInterner()), 0, 6, 2).parts;
    expect(said).toEqual([
      [1, 0, 'cluster 0'],
      [2, 1, 'cluster 1'],
      [3, 0, 'cluster 2'],
      [4, 1, 'cluster 3'],
      [5, 0, 'cluster 4'],
      [6, 1, 'cluster 5'],
    ]);
    expect(shared).toEqual([
      { region: 'region-0', labels: { team: 'payments' } },
      { region: 'region-1', labels: { team: 'payments' } },
    ]);
  });

  test('are the same in a snapshot, from whatever snapshot the process started', () => {
    const [facts, regions] = [4_000, 1_500];
    const followed = JSON.stringify(noted(new ClusterDetails(new StringInterner()), 0, facts, regions).parts);
    for (const start of [0, 1, 999, 1_700, 3_999]) {
      const { parts } = noted(new ClusterDetails(new StringInterner()), 0, start, regions);
      const restored = new ClusterDetails(new StringInterner(), JSON.parse(JSON.stringify(parts)));
      expect(JSON.stringify(noted(restored, start, facts, regions).parts)).toBe(followed);
    }
  });

  test('are none of a change that says only what billing reads', () => {
    const details = new ClusterDetails(new StringInterner());
    details.note(1, { type: 'ClusterChanged', clusterId: 'c1', effectiveAt: AT, billable: false });
    details.note(2, { type: 'ClusterChanged', clusterId: 'c1', effectiveAt: AT, name: 'the only name' });
    expect(details.parts).toEqual({ said: [[2, 0, 'the only name']], shared: [{}] });
  });
});
