/** CloudEvents 1.0 (github.com/cloudevents/spec) in the JSON event format, as producers post them. */

import { z } from 'zod';
import {
  CLOUD_EVENT_TYPES,
  cloudEventType,
  factTypeOf,
  LEDGER_SOURCE,
} from '../../domain/facts/cloud-event.ts';
import { CAUSES, ClusterId, type Fact, type FactType, factPayloads, line } from '../../domain/facts/fact.ts';
import type { Origin } from '../../domain/facts/recorded-fact.ts';
import type { JsonObject } from '../../eventstore/json.ts';
import type { Submission } from '../../ledger/submission.ts';
import { onlyDescribed } from '../contract.ts';
import { InstantText } from '../params/fields.ts';
import { isMediaType } from '../params/media-type.ts';

/** Extension attributes that the ledger adds; a producer cannot set them. */
const RESERVED = new Set([
  'ledgerposition',
  'ledgerepoch',
  'ledgerrevision',
  'ledgereventid',
  'ledgeractor',
  'recordedtime',
]);

const context = {
  specversion: z.literal('1.0'),
  id: line(255).describe(
    'Unique per source. An event with the same source and id is a duplicate, at any time.',
  ),
  source: line(1_024).describe(
    `A URI reference that names the producer; must not begin with ${LEDGER_SOURCE}.`,
  ),
  subject: ClusterId.describe('The id of the cluster.'),
  time: InstantText.describe('When the fact became true. Billing uses this time.'),
  datacontenttype: z
    .string()
    .refine((text) => isMediaType(text, ['application/json']), 'must be application/json, in UTF-8')
    .meta({ examples: ['application/json'], pattern: '^\\s*[Aa]pplication/[Jj][Ss][Oo][Nn]\\s*(;.*)?$' })
    .optional(),
  dataschema: line(1_024).optional(),
};

const extension = z.union([z.string().max(2_048), z.boolean(), z.int32()], {
  error: 'must be text of at most 2,048 characters, a boolean, or a whole number of 32 bits',
});

const withCause = { cause: z.enum(CAUSES) };

function eventSchema<T extends FactType, D extends z.ZodType>(type: T, data: D) {
  return (
    z
      .object({ ...context, type: z.literal(cloudEventType(type)), data })
      .catchall(extension)
      // Generators would apply the schema of extension attributes to `data` too.
      .meta({ id: `${type}Event`, additionalProperties: true })
  );
}

/** Makes data optional; for data without required members. */
function optional<T extends z.ZodType>(payload: T) {
  return payload.prefault({} as z.input<T>);
}

const EventOfAnyType = z.discriminatedUnion(
  'type',
  [
    eventSchema('ClusterRegistered', factPayloads.ClusterRegistered),
    eventSchema('ClusterChanged', factPayloads.ClusterChanged),
    eventSchema('ClusterDeletionRequested', optional(factPayloads.ClusterDeletionRequested)),
    eventSchema('ClusterDeletionConfirmed', optional(factPayloads.ClusterDeletionConfirmed)),
    eventSchema('ClusterDeletionCancelled', optional(factPayloads.ClusterDeletionCancelled)),
    eventSchema('ClusterDeletionFailed', optional(factPayloads.ClusterDeletionFailed)),
    eventSchema('ClusterDeleted', optional(factPayloads.ClusterDeleted)),
    eventSchema('ClusterUnreachable', optional(factPayloads.ClusterUnreachable)),
    eventSchema('ClusterReachable', optional(factPayloads.ClusterReachable)),
    eventSchema(
      'BillingStopped',
      factPayloads.BillingStopped.extend(withCause).meta({ id: 'BillingStoppedByProducer' }),
    ),
    eventSchema(
      'BillingResumed',
      factPayloads.BillingResumed.extend(withCause).meta({ id: 'BillingResumedByProducer' }),
    ),
    eventSchema('FactVoided', factPayloads.FactVoided),
  ],
  { error: `must be one of ${CLOUD_EVENT_TYPES.join(', ')}` },
);

type AnyEvent = z.output<typeof EventOfAnyType>;

function checkNames(event: AnyEvent, check: z.RefinementCtx<AnyEvent>): void {
  for (const name of Object.keys(event)) {
    if (name === 'data' || Object.hasOwn(context, name)) continue;
    const why = RESERVED.has(name)
      ? 'is set by the ledger'
      : 'must be an extension attribute, named with lower-case letters and digits';
    if (RESERVED.has(name) || !/^[a-z0-9]+$/.test(name)) {
      check.addIssue({ code: 'custom', path: [name], message: why, input: name });
    }
  }
}

/** A lifecycle event as producers post it. */
export const CloudEvent = EventOfAnyType.superRefine(checkNames).meta({ id: 'LifecycleEvent' });
export type CloudEvent = z.output<typeof CloudEvent>;

/** The schemas of events that were compiled, by type. Compiling one takes 3 ms, so it is done at the first event of the type. */
const compiled = new Map<string, z.ZodType<AnyEvent>>();

function compiledSchema(type: string): z.ZodType<AnyEvent> | undefined {
  const known = compiled.get(type);
  if (known !== undefined) return known;
  const ofType = EventOfAnyType.options.find(({ shape }) => shape.type.value === type);
  if (ofType === undefined) return undefined;
  // Strict: a schema that cannot be compiled, such as one that refers to itself, would only be slow, and no test would notice.
  const schema = z.compile((ofType as z.ZodType<AnyEvent>).superRefine(checkNames), { strict: true });
  compiled.set(type, schema);
  return schema;
}

/** Parses as `CloudEvent.safeParse` does. A valid event takes a third of the time. */
export function parseCloudEvent(event: unknown): z.ZodSafeParseResult<CloudEvent> {
  const type = (event as { readonly type?: unknown } | null | undefined)?.type;
  const parsed = typeof type === 'string' ? compiledSchema(type)?.safeParse(event) : undefined;
  return parsed?.success === true ? parsed : CloudEvent.safeParse(event);
}

/** The data of an event, as binary mode has it in the body. */
export const EventData = z
  .union([
    factPayloads.ClusterRegistered,
    factPayloads.ClusterChanged,
    factPayloads.ClusterDeletionRequested,
    factPayloads.ClusterDeleted,
    factPayloads.ClusterUnreachable,
    factPayloads.BillingStopped,
    factPayloads.FactVoided,
  ])
  .meta({ id: 'EventData' });

/** The attributes of an event, as binary mode has them in headers. Other attributes are headers of the same form. */
export const BinaryModeHeaders = onlyDescribed(
  z
    .looseObject({
      'ce-specversion': context.specversion.describe('The version of CloudEvents.'),
      'ce-id': context.id,
      'ce-source': context.source,
      'ce-type': z
        .enum(CLOUD_EVENT_TYPES as [string, ...string[]])
        .describe('What happened. It decides about the data.'),
      'ce-subject': context.subject,
      'ce-time': context.time,
    })
    .partial(),
);

/** Converts a posted event to a submission. */
export function submissionOf(event: CloudEvent, posted: JsonObject, actor: string): Submission {
  const { specversion: _, id, source, type, subject, time, datacontenttype: __, data, ...extensions } = event;
  const fact = { type: factTypeOf(type), clusterId: subject, effectiveAt: time, ...data } as Fact;
  const kept =
    Object.keys(extensions).length > 0 ? { extensions: extensions as NonNullable<Origin['extensions']> } : {};
  return { fact, origin: { source, id, actor, ...kept }, event: posted };
}
