import { z } from 'zod';
import { ProblemOut } from './problem-document.ts';
import { InstantOut } from './values.ts';

export const RejectedEventOut = z.strictObject({
  id: z.string(),
  clusterId: z.string(),
  actor: z.string().optional().describe('Who posted the event; absent for events of earlier releases.'),
  recordedAt: InstantOut,
  problem: ProblemOut,
  event: z
    .looseObject({
      id: z.string().optional(),
      source: z.string().optional(),
      type: z.string().optional(),
    })
    .meta({ id: 'KeptEvent' })
    .describe('The event as it was posted, without credentials; only its attributes if there is a `text`.'),
  text: z
    .string()
    .optional()
    .describe(
      'The beginning of what was posted, if the event is too large or its JSON cannot be kept unchanged.',
    ),
});
export type RejectedEventOut = z.output<typeof RejectedEventOut>;
