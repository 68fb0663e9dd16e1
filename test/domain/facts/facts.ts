import type { BillingFact, ClusterBilling } from '../../../src/domain/billing/billing.ts';
import { billCluster } from '../../../src/domain/billing/billing.ts';
import type { Cause, Fact, FactOf, KnownFact } from '../../../src/domain/facts/fact.ts';
import { formatInstant, parseInstant } from '../../../src/domain/time.ts';

/** The instant of an RFC 3339 text; a day alone is its first instant. */
export function at(text: string): number {
  const instant = parseInstant(text.length === 10 ? `${text}T00:00:00Z` : text);
  if (instant === undefined) throw new Error(`${text} is not an instant`);
  return instant;
}

const CLUSTER = 'c1';

export const registered = (
  when: string,
  more: Partial<FactOf<'ClusterRegistered'>> = {},
): FactOf<'ClusterRegistered'> => ({
  type: 'ClusterRegistered',
  clusterId: CLUSTER,
  effectiveAt: at(when),
  accountId: 'acme',
  name: 'one',
  billable: true,
  ...more,
});
export const changed = (
  when: string,
  attributes: Partial<FactOf<'ClusterChanged'>>,
): FactOf<'ClusterChanged'> => ({
  type: 'ClusterChanged',
  clusterId: CLUSTER,
  effectiveAt: at(when),
  ...attributes,
});
export const deleted = (when: string): Fact => ({
  type: 'ClusterDeleted',
  clusterId: CLUSTER,
  effectiveAt: at(when),
});
export const stopped = (when: string, cause: Cause | 'deleted' = 'manual'): Fact => ({
  type: 'BillingStopped',
  clusterId: CLUSTER,
  effectiveAt: at(when),
  cause,
});
export const resumed = (when: string, cause: Cause | 'deleted' = 'manual'): Fact => ({
  type: 'BillingResumed',
  clusterId: CLUSTER,
  effectiveAt: at(when),
  cause,
});
export const voided = (when: string, voids: string): Fact => ({
  type: 'FactVoided',
  clusterId: CLUSTER,
  effectiveAt: at(when),
  voids,
  reason: 'posted by mistake',
});
export const seen = (when: string, type: 'ClusterUnreachable' | 'ClusterReachable'): Fact => ({
  type,
  clusterId: CLUSTER,
  effectiveAt: at(when),
});

/** Facts as they are recorded one after the other; the id of each is its place: `'1'`, `'2'`, … */
export function inOrder<F>(...facts: readonly F[]): KnownFact<F>[] {
  return facts.map((fact, i) => ({ eventId: String(i + 1), order: i + 1, fact }));
}

export function bill(...facts: readonly BillingFact[]): ClusterBilling {
  return billCluster(inOrder(...facts));
}

/** Formats billed intervals as `from` and `to`; the first instant of a day as the day alone. */
export function billedOf({ intervals }: ClusterBilling): [from: string, to: string | null][] {
  return intervals.map(({ from, to }) => [short(from), to === null ? null : short(to)]);
}

function short(instant: number): string {
  return formatInstant(instant).replace('T00:00:00.000Z', '');
}
