import { z } from 'zod';

const FieldErrorOut = z.strictObject({
  pointer: z
    .string()
    .describe('The field: an RFC 6901 pointer into the body, or /query/…, /headers/…, /path/….'),
  detail: z.string(),
});

/** A problem document: RFC 9457. */
export const ProblemOut = z
  .strictObject({
    type: z.string().describe('urn:cluster-ledger:problem:<code>; never changes.'),
    title: z.string(),
    status: z.int().min(100).max(599),
    detail: z.string(),
    instance: z.string().describe('The id of the request; for a rejected event, the id of the event.'),
    errors: z.array(FieldErrorOut).readonly().optional(),
  })
  .meta({ id: 'Problem' });
