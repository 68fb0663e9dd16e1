import type { FastifySchema } from 'fastify';
import { z } from 'zod';

/** Shapes that several resources answer with. */

const FieldErrorOut = z.strictObject({
  pointer: z
    .string()
    .describe('The field: an RFC 6901 pointer into the body, or /query/…, /headers/…, /path/….'),
  detail: z.string(),
});

/** RFC 9457. */
export const ProblemOut = z
  .strictObject({
    type: z.string().describe('urn:cluster-ledger:problem:<code>, stable.'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().optional().describe('The id of the request.'),
    errors: z.array(FieldErrorOut).readonly().optional(),
  })
  .meta({ id: 'Problem' });

const problem = { content: { 'application/problem+json': { schema: ProblemOut } } };

/** What any resource may answer instead. */
export const problemResponses = {
  '4xx': { description: 'The request was not accepted.', ...problem },
  '5xx': {
    description: 'The ledger could not do it; the problem says what happened to the data.',
    ...problem,
  },
};

/** A recorded fact as a CloudEvent, with where the ledger has it. */
export const FeedEvent = z
  .looseObject({
    specversion: z.literal('1.0'),
    id: z.string(),
    source: z.string(),
    type: z.string(),
    subject: z.string().describe('The id of the cluster.'),
    time: z.string().meta({ format: 'date-time' }),
    datacontenttype: z.literal('application/json'),
    ledgerposition: z.string(),
    ledgerrevision: z.int(),
    ledgereventid: z.string(),
    recordedtime: z.string().meta({ format: 'date-time' }),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'RecordedEvent' });
export type FeedEvent = z.output<typeof FeedEvent>;

/** Proof that an event is in the signed log. */
export const ProofOut = z
  .strictObject({
    position: z.string().describe('Place of the event in the log.'),
    leafIndex: z.int().describe('Number of its leaf: the position less one.'),
    treeSize: z.int().describe('Events that the checkpoint covers.'),
    leafHash: z.base64().describe('SHA-256(0x00 || RFC 8785 canonical JSON of the event as it is stored).'),
    hashes: z.array(z.base64()).describe('The inclusion proof of RFC 9162, section 2.1.3.'),
    checkpoint: z.string().describe('A signed note: C2SP tlog-checkpoint.'),
  })
  .meta({ id: 'InclusionProof' });

export const UsageOut = z
  .strictObject({
    billableClusters: z.int(),
    clusterSeconds: z.string(),
    peakClusters: z.int(),
    clustersAtStart: z.int(),
    clustersAtEnd: z.int(),
    averageClusters: z.string(),
  })
  .meta({ id: 'Usage' });

/** The measures, in the order of a table. */
export const MEASURES = UsageOut.keyof().options;

/** The two additive measures, signed. */
export const AmountsOut = z
  .strictObject({ billableClusters: z.int(), clusterSeconds: z.string() })
  .meta({ id: 'Amounts' });

export const StatementOut = z
  .strictObject({
    accountId: z.string(),
    period: z.string(),
    watermark: z.string().describe('Position of the last event that it knows.'),
    closedAt: z
      .string()
      .meta({ format: 'date-time' })
      .optional()
      .describe('Absent where it is not closed yet.'),
    usage: UsageOut,
    adjustments: z
      .array(
        z.strictObject({
          period: z.string().describe('The earlier closed period.'),
          before: UsageOut,
          after: UsageOut,
          delta: AmountsOut,
          facts: z.array(z.string()).readonly().describe('Event ids of what caused it.'),
        }),
      )
      .readonly()
      .describe('What became known of earlier periods since the last one was closed.'),
    total: AmountsOut.describe('Usage and adjustments; may be negative.'),
  })
  .meta({ id: 'Statement' });

/** Body schemas that are in the contract but judged by the handler itself, event by event. */
const describedOnly = new WeakSet<object>();

export function onlyDescribed<T extends z.ZodType>(schema: T): T {
  describedOnly.add(schema);
  return schema;
}

export function isOnlyDescribed(schema: FastifySchema[keyof FastifySchema]): boolean {
  return typeof schema === 'object' && schema !== null && describedOnly.has(schema);
}
