import { z } from 'zod';
import { EventId } from '../domain/facts/fact.ts';
import { ProblemOut } from './problem-document.ts';
import { InstantOut, PositionOut } from './values.ts';

/** The result of posting a fact that is stored durably. */
export const RecordedOut = z
  .strictObject({
    outcome: z.enum(['appended', 'duplicate']),
    eventId: EventId,
    clusterId: z.string(),
    revision: z.int().nonnegative().describe('Revision in the stream of the cluster, from 0.'),
    position: PositionOut.nullable().describe('Position in the log; null if it is still unknown after 2 s.'),
    recordedAt: InstantOut,
    noEffect: z
      .strictObject({
        why: z.enum(['voided', 'target-voided-before']),
        voidedBy: EventId.describe('Event id of the void.'),
        detail: z.string(),
      })
      .optional()
      .describe(
        'Present if the fact changes nothing: it was voided, or it voids a fact that was voided before.',
      ),
  })
  .meta({ id: 'Recorded' });
export type RecordedOut = z.output<typeof RecordedOut>;

const RejectedOut = z
  .strictObject({ outcome: z.literal('rejected'), problem: ProblemOut })
  .meta({ id: 'Rejected' });

/** The results of a batch. Ledgers before this release send no `outcome`. */
export const BatchResultOut = z
  .strictObject({
    outcome: z
      .literal('batch')
      .default('batch')
      .describe('Distinguishes the answer to a batch from that to one event.'),
    results: z
      .array(z.discriminatedUnion('outcome', [RecordedOut, RejectedOut]))
      .describe('One result per event, in order.'),
  })
  .meta({ id: 'BatchResult' });
