import { z } from 'zod';
import { NOT_BILLED } from '../domain/billing/explanation.ts';
import { FactRef } from './fact-ref.ts';
import { ClusterTypeOut, UsageBreakdown } from './usage.ts';
import { InstantOut, WindowOut } from './values.ts';

const IntervalOut = z.strictObject({
  from: InstantOut.describe('Clipped to the counted window, as is `to`.'),
  to: InstantOut,
  clusterType: ClusterTypeOut,
  stillBilled: z.boolean().describe('Whether no known fact ends the interval.'),
  clusterSeconds: z.string(),
  openedBy: FactRef,
  closedBy: FactRef.nullable().describe('May be effective after the end of the counted window.'),
});

export const ExplainedClusterOut = z
  .strictObject({
    clusterId: z.string(),
    name: z.string().nullable(),
    billable: z.boolean().nullable(),
    clusterSeconds: z.string(),
    intervals: z.array(IntervalOut),
    why: z.enum(NOT_BILLED).optional().describe('Why there is no interval; absent if there is one.'),
  })
  .meta({ id: 'ExplainedCluster' });
export type ExplainedClusterOut = z.output<typeof ExplainedClusterOut>;

export const ExplanationOut = z.strictObject({
  accountId: z.string(),
  ...WindowOut,
  ...UsageBreakdown,
  clusters: z
    .array(ExplainedClusterOut)
    .describe('All clusters that any fact ever gave to the account, in order of their ids.'),
});
