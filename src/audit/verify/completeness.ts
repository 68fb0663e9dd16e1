import { accountNamedIn, clusterOf } from './billing-fact.ts';
import { type Beginning, type Closing, readBeginning, readClosing } from './closings.ts';
import type { Entry, EvidenceFile } from './evidence-file.ts';
import { Refuted } from './outcome.ts';

/** The closed periods, and the beginning of statements if one is recorded. */
export interface Calendar {
  readonly closings: readonly Closing[];
  readonly beginning: Beginning | undefined;
}

/**
 * Checks that nothing is missing between the first and the last of what the file has, that nothing stands in it twice or in
 * the wrong place, and that its clusters are the account's. That nothing is missing at the ends is what the seal says.
 * @returns the closings, in order, and the beginning of statements.
 * @throws Refuted
 */
export function checkCompleteness({ evidence }: EvidenceFile): Calendar {
  const { accountId, clusters } = evidence;
  const seen = new Map<string | number, string>();
  let before: string | undefined;
  for (const { clusterId, facts } of clusters) {
    if (before !== undefined && !(before < clusterId))
      throw new Refuted('completeness', `cluster ${clusterId} does not come after ${before}`);
    before = clusterId;
    for (const [revision, fact] of facts.entries()) {
      checkPlace(clusterId, revision, fact, facts[revision - 1]);
      checkOnce(fact, seen);
    }
    if (!facts.some(({ leaf }) => accountNamedIn(leaf) === accountId))
      throw new Refuted('completeness', `no fact gives cluster ${clusterId} to account ${accountId}`);
  }
  const beginning = evidence.beginning === undefined ? undefined : checkBeginning(evidence.beginning, seen);
  return { beginning, closings: checkClosings(evidence.closings, seen, beginning) };
}

/** @throws Refuted */
function checkBeginning(entry: Entry, seen: Map<string | number, string>): Beginning {
  const position = entry.index + 1;
  const beginning = readBeginning(position, entry.leaf);
  if (typeof beginning === 'string')
    throw new Refuted('completeness', `the event at position ${position} ${beginning}`);
  checkOnce(entry, seen);
  return beginning;
}

function checkPlace(
  clusterId: string,
  revision: number,
  { index, leaf }: Entry,
  last: Entry | undefined,
): void {
  if (clusterOf(leaf.stream) !== clusterId) {
    const why = `the event at position ${index + 1} is of ${leaf.stream}, not of cluster ${clusterId}`;
    throw new Refuted('completeness', why);
  }
  if (leaf.revision !== revision) {
    const why = `cluster ${clusterId} goes on with revision ${leaf.revision}, at position ${index + 1}, where ${revision} is due`;
    throw new Refuted('completeness', why);
  }
  if (last !== undefined && last.index >= index) {
    const why = `revision ${revision} of cluster ${clusterId} stands at position ${index + 1}, not after the one before it`;
    throw new Refuted('completeness', why);
  }
}

function checkOnce({ index, leaf: { id } }: Entry, seen: Map<string | number, string>): void {
  if (seen.has(index)) throw new Refuted('completeness', `two events stand at position ${index + 1}`);
  if (seen.has(id)) throw new Refuted('completeness', `two events have the id ${id}`);
  seen.set(index, id).set(id, id);
}

function checkClosings(
  entries: readonly Entry[],
  seen: Map<string | number, string>,
  beginning: Beginning | undefined,
): Closing[] {
  const closings: Closing[] = [];
  for (const entry of entries) {
    const position = entry.index + 1;
    const last = closings.at(-1);
    const closing = readClosing(position, entry.leaf, last, beginning);
    if (typeof closing === 'string')
      throw new Refuted('completeness', `the event at position ${position} ${closing}`);
    if (last !== undefined && last.position >= position)
      throw new Refuted(
        'completeness',
        `the closing of ${closing.period} does not stand after that of ${last.period}`,
      );
    if (beginning !== undefined && beginning.position > position) {
      const why = `the beginning at position ${beginning.position} does not stand before the closing of ${closing.period}`;
      throw new Refuted('completeness', why);
    }
    checkOnce(entry, seen);
    closings.push(closing);
  }
  return closings;
}
