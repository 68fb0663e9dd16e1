import { z } from 'zod';

/** An instant in an answer: RFC 3339, UTC, with milliseconds. */
export const InstantOut = z.string().meta({ format: 'date-time' });

export const PositionOut = z.string().regex(/^\d+$/).describe('A position in the log, as a decimal string.');

/** The field that every page of a list has. */
export const Next = { next: z.string().optional().describe('Cursor of the next page; absent on the last.') };

/** The fields of an answer about a window: the window, and the instant up to which it is counted. */
export const WindowHead = {
  period: z.string().optional(),
  window: z.strictObject({ from: InstantOut, to: InstantOut }),
  through: InstantOut,
  statementsBegin: z
    .string()
    .optional()
    .describe(
      'Set if the window begins before this period, the first that has statements: usage from before it is on no statement.',
    ),
};

/** The same, and the position up to which facts are taken into account. */
export const WindowOut = {
  ...WindowHead,
  asOf: z.string().nullable().describe('The `asOf` of the request; null if it had none.'),
  position: PositionOut.describe('Position of the last event that these figures take into account.'),
};
