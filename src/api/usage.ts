import { z } from 'zod';
import { Next, WindowOut } from './values.ts';

/** An amount of seconds with 3 decimal places, signed. */
const SecondsOut = z.string().regex(/^-?\d+\.\d{3}$/);

const measures = {
  billableClusters: z.int().nonnegative().describe('Number of clusters that were billed for more than 0 ms.'),
  clusterSeconds: SecondsOut.describe('Billed time in seconds, with 3 decimal places.'),
  peakClusters: z.int().nonnegative().describe('Largest number of clusters that were billed at one instant.'),
  clustersAtStart: z.int().nonnegative(),
  clustersAtEnd: z.int().nonnegative(),
  averageClusters: z
    .string()
    .regex(/^\d+\.\d{6}$/)
    .describe('Billed time divided by the length of the window, with 6 decimal places.'),
};
export const UsageOut = z.strictObject(measures).meta({ id: 'Usage' });

export const ClusterTypeOut = z.string().nullable().describe('Null for clusters whose facts name no type.');

/** Usage of the clusters of one type. */
export const TypeUsageOut = z
  .strictObject({ clusterType: ClusterTypeOut, ...measures })
  .meta({ id: 'TypeUsage' });

/** Usage of all clusters together and by cluster type. */
export const UsageBreakdown = {
  usage: UsageOut,
  byType: z
    .array(TypeUsageOut)
    .readonly()
    .describe('The same measures for each cluster type that was billed, in order of the types.'),
};

/** Names of the measures, in the order of the columns of a table. */
export const MEASURES = UsageOut.keyof().options;

/** The two measures that can be added, signed. */
export const amounts = { billableClusters: z.int(), clusterSeconds: SecondsOut };
export const AmountsOut = z.strictObject(amounts).meta({ id: 'Amounts' });

/** Usage of the clusters with one value of the attribute that is grouped by. */
const GroupUsageOut = z
  .strictObject({
    value: z.string().nullable().describe('Null for clusters whose facts say no value.'),
    ...measures,
  })
  .meta({ id: 'GroupUsage' });

const groups = z
  .array(GroupUsageOut)
  .readonly()
  .optional()
  .describe('With groupBy: the same measures for each value that was billed, in order of the values.');

const days = z.array(z.strictObject({ date: z.string(), ...UsageBreakdown, groups })).optional();

export const AccountUsageOut = z
  .strictObject({
    accountId: z.string(),
    ...WindowOut,
    ...UsageBreakdown,
    groups,
    days,
  })
  .meta({ id: 'AccountUsage' });

export const UsageList = z.strictObject({
  ...WindowOut,
  items: z.array(z.strictObject({ accountId: z.string(), ...UsageBreakdown, groups, days })),
  ...Next,
});
