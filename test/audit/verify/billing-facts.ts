import type { BillingFact } from '../../../src/audit/verify/billing-fact.ts';

/** Ms since the epoch at the beginning of a day. */
export const day = (text: string) => Date.parse(`${text}T00:00:00.000Z`);

/** The parts of a fact that a test is about. */
export type Stated = Partial<BillingFact> & Pick<BillingFact, 'type' | 'at'>;

/** The facts of one cluster in the order of the log. Event ids follow the positions: `e1`, `e2`, … */
export function factsOf(...facts: readonly Stated[]): BillingFact[] {
  return facts.map((fact, i) => ({
    eventId: `e${i + 1}`,
    position: i + 1,
    clusterId: 'c1',
    accountId: undefined,
    clusterType: undefined,
    billable: undefined,
    cause: undefined,
    voids: undefined,
    ...fact,
  }));
}

type More = Partial<BillingFact>;

export const registered = (at: number, more: More = {}) =>
  ({ type: 'registered', at, accountId: 'acme', ...more }) as const;
export const changed = (at: number, more: More) => ({ type: 'changed', at, ...more }) as const;
export const deleted = (at: number, more: More = {}) => ({ type: 'deleted', at, ...more }) as const;
export const stopped = (at: number, more: More = {}) =>
  ({ type: 'stopped', at, cause: 'manual', ...more }) as const;
export const resumed = (at: number, more: More = {}) =>
  ({ type: 'resumed', at, cause: 'manual', ...more }) as const;
export const voided = (voids: string, more: More = {}) =>
  ({ type: 'voided', at: 0, voids, ...more }) as const;
