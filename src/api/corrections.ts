import { z } from 'zod';
import { PERIOD_STATES } from '../domain/billing/period.ts';
import { FactRef } from './fact-ref.ts';
import { AmountsOut, UsageOut } from './usage.ts';

/** The effect that voiding a fact would have. */
export const VoidPreviewOut = z.strictObject({
  outcome: z.literal('would-void'),
  eventId: z.string(),
  clusterId: z.string(),
  accountId: z.string().nullable().describe('The account whose figures would change.'),
  fact: FactRef,
  periods: z
    .array(
      z.strictObject({
        period: z.string(),
        state: z
          .enum(PERIOD_STATES)
          .describe('Changes of a closed period become an adjustment of the next closing.'),
        before: UsageOut,
        after: UsageOut,
        delta: AmountsOut,
      }),
    )
    .describe('Every period up to now whose figures would change, in order.'),
});
export type VoidPreviewOut = z.output<typeof VoidPreviewOut>;
