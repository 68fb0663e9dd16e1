import { z } from 'zod';
import { FactRef } from './fact-ref.ts';
import { AmountsOut, amounts, ClusterTypeOut, UsageBreakdown, UsageOut } from './usage.ts';
import { InstantOut, Next, PositionOut } from './values.ts';

const TypeAmountsOut = z
  .strictObject({ clusterType: ClusterTypeOut, ...amounts })
  .meta({ id: 'TypeAmounts' });

const AdjustmentOut = z.strictObject({
  period: z.string().describe('The earlier period.'),
  before: UsageOut,
  after: UsageOut,
  delta: AmountsOut,
  byType: z
    .array(
      z.strictObject({ clusterType: ClusterTypeOut, before: UsageOut, after: UsageOut, delta: AmountsOut }),
    )
    .readonly()
    .describe('The cluster types whose usage changed, in order.'),
  facts: z.array(z.string()).readonly().describe('Event ids of the facts that caused the adjustment.'),
});

export const StatementOut = z
  .strictObject({
    statementId: z
      .string()
      .describe(
        'Identifies the statement in every ledger, such as for the idempotency key of another system.',
      ),
    accountId: z.string(),
    period: z.string(),
    watermark: z.string().describe('Position of the last event that the statement takes into account.'),
    closedAt: InstantOut.optional().describe('Absent if the period is not closed yet.'),
    ...UsageBreakdown,
    adjustments: z
      .array(AdjustmentOut)
      .readonly()
      .describe('Changes of earlier periods by facts that were recorded after those periods were closed.'),
    total: z
      .strictObject({ ...amounts, byType: z.array(TypeAmountsOut).readonly() })
      .describe('Usage plus adjustments; may be negative.'),
  })
  .meta({ id: 'Statement' });

export const StatementList = z.strictObject({
  period: z.string(),
  watermark: PositionOut,
  closedAt: InstantOut,
  items: z.array(StatementOut),
  ...Next,
});

/** Adjustments that are on no statement yet. */
export const PendingAdjustmentsOut = z.strictObject({
  since: PositionOut.nullable().describe(
    'Watermark of the last closed period: later facts cause the adjustments. Null if no period is closed.',
  ),
  position: PositionOut.describe('Position of the last event that is taken into account.'),
  items: z.array(
    z.strictObject({
      accountId: z.string(),
      adjustments: z.array(
        AdjustmentOut.extend({
          facts: z.array(FactRef).describe('The facts that cause the adjustment, in the order of the log.'),
        }),
      ),
    }),
  ),
  ...Next,
});
