import { z } from 'zod';
import { RecordedOut } from '../../api/events.ts';
import { RejectedEventOut } from '../../api/rejected-events.ts';
import { Next } from '../../api/values.ts';
import { factToCloudEvent } from '../../domain/facts/cloud-event.ts';
import { UnreadableFact } from '../../domain/facts/fact.ts';
import { type FactRecord, parseStoredFact } from '../../domain/facts/recorded-fact.ts';
import { REJECTED_STREAM } from '../../domain/stream-table.ts';
import { formatInstant } from '../../domain/time.ts';
import type { JsonObject } from '../../eventstore/json.ts';
import type { RejectedEvent } from '../../ledger/rejected-event-store.ts';
import type { Submission } from '../../ledger/submission.ts';
import { answer, FACT_PROBLEMS, problemResponses, problems } from '../contract.ts';
import { parseEvent } from '../ingest/parse-event.ts';
import { Recorder } from '../ingest/recorder.ts';
import { EventPath, Paging, Reading } from '../params/fields.ts';
import { openPage } from '../params/paging.ts';
import { modelForPage } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { Problem, problemOf } from '../server/problem.ts';

const listRejectedEventsSchema = {
  operationId: 'listRejectedEvents',
  tags: ['Operations'],
  summary: 'List rejected events, latest first',
  description:
    'Events that were rejected are kept as they were posted. Each raises an alert until it is acknowledged.',
  querystring: z.strictObject({ ...Paging, ...Reading }),
  response: {
    200: answer(
      'A page of the rejected events.',
      z.strictObject({ items: z.array(RejectedEventOut), ...Next }),
    ),
    ...problemResponses,
  },
};

const retryRejectedEventSchema = {
  operationId: 'retryRejectedEvent',
  tags: ['Operations'],
  summary: 'Post a rejected event again, unchanged, after its cause is fixed',
  description: 'The event is judged by the facts that are recorded now.',
  params: EventPath,
  response: {
    200: answer('The fact was recorded before.', RecordedOut),
    201: answer('The fact is recorded.', RecordedOut),
    ...problems(
      'not-found',
      ...FACT_PROBLEMS,
      'cluster-unknown',
      'cluster-ambiguous',
      'void-target-unknown',
      'void-target-not-voidable',
    ),
  },
};

/** Adds the routes of rejected events, which are stored as they were posted. */
export function rejectedEventRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/rejected-events',
    {
      config: { access: { auditor: 'all' } },
      schema: listRejectedEventsSchema,
    },
    async (request, reply) => {
      const { limit } = request.query;
      const page = openPage(request, 'number');
      const { position } = await modelForPage(services, page, request.query, reply);
      const [before] = page.after ?? [];
      const from = before === undefined ? {} : { from: Number(before) - 1 };
      if (from.from === -1) return { items: [] };
      const items: RejectedEventOut[] = [];
      let last = 0;
      const options = { direction: 'backwards', limit, ...from } as const;
      for await (const { id, revision, data, metadata, recordedAt } of services.store.readStream(
        REJECTED_STREAM,
        options,
      )) {
        const { clusterId, rejection, event, text } = data as unknown as RejectedEvent;
        items.push({
          id,
          clusterId,
          ...(typeof metadata['actor'] === 'string' && { actor: metadata['actor'] }),
          recordedAt: formatInstant(recordedAt),
          problem: problemOf(rejection).document(id),
          event,
          ...(text !== undefined && { text }),
        });
        last = revision;
      }
      return { items, ...page.next(last > 0 ? [last] : undefined, { position }) };
    },
  );

  const recorder = new Recorder(services);
  app.post(
    '/v1/rejected-events/:eventId/retry',
    {
      config: { access: {} },
      schema: retryRejectedEventSchema,
    },
    async ({ params: { eventId }, caller }, reply) => {
      const place = services.projections.model.locate(eventId);
      const options = { from: place?.revision ?? 0, limit: 1 };
      for await (const { id, data } of services.store.readStream(REJECTED_STREAM, options)) {
        if (id !== eventId) break;
        const rejected = data as unknown as RejectedEvent;
        const { code } = rejected.rejection;
        // The event names no registered cluster, so there is no stream to record it in; or it is not kept as a whole.
        if (code === 'cluster-unknown' || code === 'cluster-ambiguous' || rejected.text !== undefined)
          throw problemOf(rejected.rejection);
        await recorder.recordOne(retriedSubmission(rejected, caller.actor), caller, reply);
        return reply;
      }
      throw new Problem('not-found', `rejected event ${eventId} does not exist`);
    },
  );
}

/** @throws Problem `invalid-request` if the kept event is not a lifecycle event. */
function retriedSubmission(rejected: RejectedEvent, actor: string): Submission {
  // An event that is not valid was posted by a producer.
  const mayBeOwn = rejected.rejection.code !== 'invalid-request';
  const parsed = parseEvent(asCloudEvent(rejected), actor, { mayBeOwn });
  if (parsed instanceof Problem) throw parsed;
  return parsed;
}

/** Earlier releases kept the facts of the validator as stored events: `{id, source, type, data}`. */
function asCloudEvent({ event, source, id, clusterId }: RejectedEvent): JsonObject {
  if ('specversion' in event) return event;
  try {
    const { type, data } = event as unknown as FactRecord;
    return factToCloudEvent(parseStoredFact(clusterId, { type, data, metadata: {} }), { source, id });
  } catch (error) {
    if (error instanceof UnreadableFact) return event;
    throw error;
  }
}
