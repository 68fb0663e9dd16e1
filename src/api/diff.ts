import { z } from 'zod';
import { FactRef } from './fact-ref.ts';
import { AmountsOut, UsageBreakdown } from './usage.ts';
import { PositionOut, WindowHead } from './values.ts';

const UsageAt = z.strictObject({ asOf: z.string().nullable(), position: PositionOut, ...UsageBreakdown });

export const DifferenceOut = z.strictObject({
  accountId: z.string(),
  ...WindowHead,
  before: UsageAt,
  after: UsageAt,
  delta: AmountsOut,
  facts: z
    .array(
      FactRef.extend({
        effect: z
          .enum(['counted', 'voided'])
          .describe('Whether the fact became active or was voided between the two positions.'),
        voidedBy: FactRef.optional(),
      }),
    )
    .describe(
      'The facts that changed the usage, in the order in which they took effect in the log. Includes facts that cancel each other out.',
    ),
});
