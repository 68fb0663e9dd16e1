import { z } from 'zod';
import { CronText } from './cron-text.ts';

/** Settings of automatic period closing, which is off by default. */
export const AutoCloseSettings = z.strictObject({
  enabled: z.boolean().default(false).describe('Whether periods that are due are closed automatically.'),
  schedule: CronText.default('7 * * * *').describe(
    'When the ledger looks for periods that are due, as a cron expression in UTC.',
  ),
});
export type AutoCloseSettings = z.output<typeof AutoCloseSettings>;
