import { accountNamedIn, clusterOf, type Leaf } from './billing-fact.ts';
import { isBillingStream, periodOf } from './closings.ts';
import type { EvidenceFile } from './evidence-file.ts';
import { Refuted } from './outcome.ts';

/**
 * Looks, in the whole log, for what an evidence file should have and does not: so that nobody needs to believe its seal.
 * @param size of the log that the file is about.
 * @returns what looks at each event. @throws Refuted, when it finds one.
 */
export function watchFor({ evidence }: EvidenceFile, size: number): (index: number, leaf: Leaf) => void {
  const { accountId, beginning, clusters, closings } = evidence;
  const known = new Set(clusters.map(({ clusterId }) => clusterId));
  const entries = [
    ...(beginning === undefined ? [] : [beginning]),
    ...closings,
    ...clusters.flatMap(({ facts }) => facts),
  ];
  const given = new Set(entries.map(({ index }) => index));
  // Only a beginning before the first closing decides.
  let hasBegun = false;
  return (index, leaf) => {
    const isClosing = periodOf(leaf.stream) !== undefined;
    const begins = isBillingStream(leaf.stream) && !hasBegun;
    if (isClosing || begins) hasBegun = true;
    if (index >= size || given.has(index)) return;
    const clusterId = clusterOf(leaf.stream);
    if (isClosing || begins || (clusterId !== undefined && known.has(clusterId))) {
      const why = `the evidence lacks the event at position ${index + 1} of the log (${leaf.stream}, revision ${leaf.revision})`;
      throw new Refuted('completeness', why);
    }
    if (clusterId !== undefined && accountNamedIn(leaf) === accountId) {
      const why = `the evidence lacks cluster ${clusterId}, which is given to ${accountId} at position ${index + 1} of the log`;
      throw new Refuted('completeness', why);
    }
  };
}
