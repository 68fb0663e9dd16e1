import { z } from 'zod';
import { AmountsOut, UsageOut } from './usage.ts';
import { InstantOut, Next, PositionOut } from './values.ts';

const AdjustmentOut = z.strictObject({
  period: z.string().describe('The earlier closed period.'),
  before: UsageOut,
  after: UsageOut,
  delta: AmountsOut,
  facts: z.array(z.string()).readonly().describe('Event ids of the facts that caused the adjustment.'),
});

export const StatementOut = z
  .strictObject({
    accountId: z.string(),
    period: z.string(),
    watermark: z.string().describe('Position of the last event that the statement takes into account.'),
    closedAt: InstantOut.optional().describe('Absent if the period is not closed yet.'),
    usage: UsageOut,
    adjustments: z
      .array(AdjustmentOut)
      .readonly()
      .describe('Changes of earlier periods by facts that were recorded after those periods were closed.'),
    total: AmountsOut.describe('Usage plus adjustments; may be negative.'),
  })
  .meta({ id: 'Statement' });

export const StatementList = z.strictObject({
  period: z.string(),
  watermark: PositionOut,
  closedAt: InstantOut,
  items: z.array(StatementOut),
  ...Next,
});
