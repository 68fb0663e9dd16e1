import { z } from 'zod';
import { AmountsOut, UsageBreakdown, UsageOut } from './usage.ts';
import { InstantOut, WindowOut } from './values.ts';

const Intervals = z.array(z.strictObject({ from: InstantOut, to: InstantOut }));

/** The usage of an account with and without hypothetical changes to its facts. */
export const SimulatedUsageOut = z.strictObject({
  accountId: z.string(),
  ...WindowOut,
  before: UsageOut,
  after: UsageOut,
  byType: z.strictObject({ before: UsageBreakdown.byType, after: UsageBreakdown.byType }),
  delta: AmountsOut,
  clusters: z
    .array(z.strictObject({ clusterId: z.string(), before: Intervals, after: Intervals }))
    .describe('The clusters whose billing in the counted window would change, with their billed intervals.'),
});
