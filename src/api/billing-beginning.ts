import { z } from 'zod';
import { AmountsOut } from './usage.ts';
import { InstantOut, PositionOut } from './values.ts';

const recorded = {
  period: z.string().describe('The first period that has statements.'),
  reason: z.string(),
  position: PositionOut,
  at: InstantOut.describe('When the beginning was recorded.'),
};

export const BeginningOut = z.strictObject(recorded).meta({ id: 'BillingBeginning' });

const LeftOutOut = z
  .strictObject({
    window: z.strictObject({ from: InstantOut, to: InstantOut }),
    accounts: z.int().nonnegative().describe('Number of accounts that were billed before the beginning.'),
    ...AmountsOut.shape,
  })
  .describe('The usage from before the beginning: reads show it, but no statement ever includes it.');

/** The answer to a command that begins statements. */
export const BeginBillingOut = z.discriminatedUnion('outcome', [
  z
    .strictObject({ outcome: z.literal('begun'), ...recorded, leftOut: LeftOutOut })
    .meta({ id: 'BillingBegun' }),
  z
    .strictObject({ outcome: z.literal('would-begin'), period: z.string(), leftOut: LeftOutOut })
    .meta({ id: 'WouldBegin' }),
]);
