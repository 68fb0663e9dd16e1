import { clusterOf, type Leaf } from './billing-fact.ts';
import { periodOf } from './closings.ts';
import type { EvidenceFile } from './evidence-file.ts';
import { Refuted } from './outcome.ts';

/**
 * Looks, in the whole log, for what an evidence file should have and does not: so that nobody needs to believe its seal.
 * @param size of the log that the file is about.
 * @returns what looks at each event. @throws Refuted, when it finds one.
 */
export function watchFor({ evidence }: EvidenceFile, size: number): (index: number, leaf: Leaf) => void {
  const { accountId, clusters, closings } = evidence;
  const known = new Set(clusters.map(({ clusterId }) => clusterId));
  const entries = [...closings, ...clusters.flatMap(({ facts }) => facts)];
  const given = new Set(entries.map(({ index }) => index));
  return (index, leaf) => {
    if (index >= size || given.has(index)) return;
    const clusterId = clusterOf(leaf.stream);
    const isMissing = clusterId === undefined ? periodOf(leaf.stream) !== undefined : known.has(clusterId);
    if (isMissing) {
      const why = `the evidence lacks the event at position ${index + 1} of the log (${leaf.stream}, revision ${leaf.revision})`;
      throw new Refuted('completeness', why);
    }
    const isTheirs = clusterId !== undefined && leaf.type === 'ClusterRegistered';
    if (isTheirs && leaf.data['accountId'] === accountId) {
      const why = `the evidence lacks cluster ${clusterId}, which is registered to ${accountId} at position ${index + 1} of the log`;
      throw new Refuted('completeness', why);
    }
  };
}
