import { z } from 'zod';
import { CLUSTER_STATUSES } from '../domain/billing/cluster-status.ts';
import { InstantOut, PositionOut } from './values.ts';

/** The fields that the list of clusters can be sorted by. */
export const CLUSTER_SORTS = [
  'clusterId',
  'name',
  'registeredAt',
  'accountId',
  'status',
  'billedSince',
  'billedThisPeriod',
] as const;

/** The orders of the list of clusters; with `-` from the greatest to the least. */
export const CLUSTER_ORDERS = [
  ...CLUSTER_SORTS,
  ...CLUSTER_SORTS.map((sort) => `-${sort}` as const),
] as const;

export const ClusterOut = z
  .strictObject({
    clusterId: z.string(),
    status: z.enum(CLUSTER_STATUSES),
    accountId: z.string().nullable(),
    billable: z.boolean().nullable(),
    name: z.string().nullable(),
    clusterType: z.string().optional(),
    cloudProvider: z.string().optional(),
    region: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    connection: z.string().optional(),
    registeredAt: InstantOut.nullable(),
    deletedAt: InstantOut.nullable(),
    billedSince: InstantOut.nullable().describe('Billed without a break since then; null if not billed now.'),
    billedThisPeriod: z
      .strictObject({ period: z.string(), clusterSeconds: z.string() })
      .optional()
      .describe(
        'Time billed in the current period so far to the account that owns the cluster now, if `billedTime` asks for it.',
      ),
    stoppedBy: z.array(z.string()).readonly().describe('The causes that stop billing now.'),
    lastPosition: PositionOut,
    lastSeen: InstantOut.optional().describe('When a probe last found the cluster alive.'),
    lastVerdict: z
      .strictObject({ state: z.string(), code: z.string(), since: InstantOut, detail: z.string().optional() })
      .optional()
      .describe('The verdict of the last probe, and since when the verdict has been the same.'),
    verifiedGone: z
      .boolean()
      .optional()
      .describe('Whether the cluster is deleted and probes confirm that it is gone.'),
    halted: z
      .strictObject({ position: PositionOut, why: z.string() })
      .optional()
      .describe('The facts from this position on cannot be read and are not counted.'),
  })
  .meta({ id: 'Cluster' });
export type ClusterOut = z.output<typeof ClusterOut>;

export const ClusterBillingOut = z.strictObject({
  clusterId: z.string(),
  accountId: z.string().nullable().describe('The owner now; each interval has its own.'),
  asOf: z.string().nullable(),
  position: PositionOut,
  intervals: z.array(
    z.strictObject({
      from: InstantOut,
      to: InstantOut.nullable().describe('Null if the cluster is still billed.'),
      accountId: z.string(),
      clusterType: z.string().nullable(),
      openedBy: z.string().describe('Event id of the fact that opened the interval.'),
      closedBy: z.string().nullable(),
    }),
  ),
});
