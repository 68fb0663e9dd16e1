import { z } from 'zod';

export const LossAcceptanceOut = z
  .strictObject({
    accepted: z.literal(true),
    why: z.string().describe('What the log lacks.'),
  })
  .meta({ id: 'LossAcceptance' });
export type LossAcceptanceOut = z.output<typeof LossAcceptanceOut>;
