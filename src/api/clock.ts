import { z } from 'zod';
import { InstantOut } from './values.ts';

export const ClockOut = z
  .strictObject({
    trusted: z
      .boolean()
      .describe('While this is false, no period is closed and the validator records nothing.'),
    time: InstantOut.describe('The time of the clock of the host.'),
    doubt: z
      .strictObject({
        since: InstantOut.describe('Time of the clock when the doubt began.'),
        why: z.string(),
      })
      .nullable(),
  })
  .meta({ id: 'Clock' });
export type ClockOut = z.output<typeof ClockOut>;
