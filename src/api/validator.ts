import { z } from 'zod';
import { AmountsOut, UsageOut } from './usage.ts';
import { BreakerOut, RunOut } from './validations.ts';
import { InstantOut } from './values.ts';

/** The state of the validator: the last run of each shard, the active runs, and the decision of an operator. */
export const ValidatorOut = z.strictObject({
  shards: z.array(
    z.strictObject({
      shard: z.string(),
      lastRun: z.string(),
      completedAt: InstantOut,
      clusters: z.int().nonnegative(),
      conditions: z.int().nonnegative().describe('Number of conditions that hold.'),
      breaker: BreakerOut,
    }),
  ),
  running: z.array(RunOut),
  decision: z
    .strictObject({ until: InstantOut, by: z.string(), note: z.string().optional() })
    .nullable()
    .describe('Until then, runs take effect although the breaker is open. Null if nobody decided so.'),
});
export type ValidatorOut = z.output<typeof ValidatorOut>;

const StopOut = z.strictObject({
  clusterId: z.string(),
  policy: z.string(),
  from: InstantOut,
  to: InstantOut.nullable().describe('Null if billing would still be stopped.'),
});

/** The effect that another policy would have had on the bill. */
export const PolicyWhatIfOut = z.strictObject({
  window: z.strictObject({ from: InstantOut, to: InstantOut }),
  through: InstantOut,
  runs: z.int().nonnegative().describe('Number of runs that were replayed.'),
  items: z.array(
    z.strictObject({
      accountId: z.string(),
      before: UsageOut,
      after: UsageOut,
      delta: AmountsOut,
      stops: z.array(StopOut),
    }),
  ),
});
