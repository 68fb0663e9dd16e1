import { z } from 'zod';
import { Next, WindowOut } from './values.ts';

export const UsageOut = z
  .strictObject({
    billableClusters: z.int(),
    clusterSeconds: z.string(),
    peakClusters: z.int(),
    clustersAtStart: z.int(),
    clustersAtEnd: z.int(),
    averageClusters: z.string(),
  })
  .meta({ id: 'Usage' });

/** Names of the measures, in the order of the columns of a table. */
export const MEASURES = UsageOut.keyof().options;

/** The two measures that can be added, signed. */
export const AmountsOut = z
  .strictObject({ billableClusters: z.int(), clusterSeconds: z.string() })
  .meta({ id: 'Amounts' });

const days = z.array(z.strictObject({ date: z.string(), usage: UsageOut })).optional();

export const AccountUsageOut = z.strictObject({ accountId: z.string(), ...WindowOut, usage: UsageOut, days });

export const UsageList = z.strictObject({
  ...WindowOut,
  items: z.array(z.strictObject({ accountId: z.string(), usage: UsageOut, days })),
  ...Next,
});
