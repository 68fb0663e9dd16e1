import { z } from 'zod';
import { ProblemOut } from './problem-document.ts';
import { InstantOut } from './values.ts';

export const RejectedEventOut = z.strictObject({
  id: z.string(),
  clusterId: z.string(),
  recordedAt: InstantOut,
  problem: ProblemOut,
  event: z.record(z.string(), z.unknown()).describe('The event as it was posted.'),
});
export type RejectedEventOut = z.output<typeof RejectedEventOut>;
