import { z } from 'zod';
import { PERIOD_STATES } from '../domain/billing/period.ts';
import { StatementOut } from './statements.ts';
import { AmountsOut } from './usage.ts';
import { InstantOut, PositionOut } from './values.ts';

const tally = {
  watermark: PositionOut.describe('Position of the last event that the statements take into account.'),
  accounts: z.int().nonnegative().describe('Number of accounts that have a statement.'),
  totals: AmountsOut.describe('The sum of the totals of all statements.'),
  statementsDigest: z
    .string()
    .describe('SHA-256, in hex, of the RFC 8785 JSON of all statements without closedAt, by account.'),
  rules: z.int().nonnegative().describe('Version of the billing rules by which the statements were made.'),
};

const ClosingOut = z.strictObject({
  ...tally,
  position: PositionOut.nullable().describe(
    'Position of the closing in the log; null if it is still unknown after 2 s.',
  ),
  closedAt: InstantOut,
});
export type ClosingOut = z.output<typeof ClosingOut>;

export const PeriodOut = z
  .strictObject({
    period: z.string(),
    state: z.enum(PERIOD_STATES),
    window: z.strictObject({ from: InstantOut, to: InstantOut }),
    dueAt: InstantOut.describe(
      'When the period can be closed: its end plus the grace period for late facts.',
    ),
    close: ClosingOut.nullable(),
  })
  .meta({ id: 'Period' });
export type PeriodOut = z.output<typeof PeriodOut>;

/** The answer to a command that closes a period. */
export const ClosePeriodOut = z.discriminatedUnion('outcome', [
  z
    .strictObject({ outcome: z.literal('closed'), period: z.string(), ...ClosingOut.shape })
    .meta({ id: 'Closed' }),
  z
    .strictObject({
      outcome: z.literal('would-close'),
      period: z.string(),
      ...tally,
      statements: z.array(StatementOut).readonly(),
    })
    .meta({ id: 'WouldClose' }),
]);
