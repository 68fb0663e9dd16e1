import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { BatchResultOut, RecordedOut } from '../../api/events.ts';
import { type ProofOut, ProvedEvent } from '../../api/proofs.ts';
import { LogTampered, type SignedLog } from '../../audit/signed-log.ts';
import { LeavesChanged } from '../../audit/tree.ts';
import { toCloudEvent } from '../../delivery/feed-event.ts';
import { clusterStream } from '../../domain/stream-table.ts';
import type { Submission } from '../../ledger/submission.ts';
import { READ_TIMEOUT_MS } from '../../projections/wait-limits.ts';
import type { Position } from '../../util/log-numbers.ts';
import { answer, FACT_PROBLEMS, onlyDescribed, problems } from '../contract.ts';
import { binaryEvent, inBinaryMode, isBinaryMode } from '../ingest/binary-mode.ts';
import { BinaryModeHeaders, CloudEvent, EventData } from '../ingest/cloud-event-envelope.ts';
import { BATCH_EXAMPLES, DATA_EXAMPLES, EVENT_EXAMPLES, RECORDED_EXAMPLES } from '../ingest/examples.ts';
import { parseEvent, Recorder } from '../ingest/recorder.ts';
import { inclusionOf } from '../log-access.ts';
import { EventPath, Reading } from '../params/fields.ts';
import { modelFor } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest, Problem } from '../server/problem.ts';

export const STRUCTURED = 'application/cloudevents+json';
export const BATCH = 'application/cloudevents-batch+json';

const MAX_BATCH_EVENTS = 1_000;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/** Adds the routes that post events and read a single fact. */
export function eventRoutes(app: App, services: HttpServices): void {
  const recorder = new Recorder(services);

  app.post(
    '/v1/events',
    {
      bodyLimit: MAX_BATCH_BYTES,
      config: { access: { producer: 'all' }, mediaTypes: [STRUCTURED, BATCH, 'application/json'] },
      schema: {
        operationId: 'postEvents',
        tags: ['Ingest'],
        summary: 'Post lifecycle events',
        description:
          'CloudEvents 1.0 in structured, batch (at most 1,000 events and 4 MiB) or binary mode. Answered when the events are durable. ' +
          'An event with the same source and id as an earlier one is a duplicate. In a batch, each event has its own result.',
        headers: BinaryModeHeaders,
        body: {
          content: {
            [STRUCTURED]: { schema: onlyDescribed(CloudEvent), examples: EVENT_EXAMPLES },
            [BATCH]: {
              schema: onlyDescribed(z.array(CloudEvent).max(MAX_BATCH_EVENTS)),
              examples: BATCH_EXAMPLES,
            },
            'application/json': { schema: onlyDescribed(EventData), examples: DATA_EXAMPLES },
          },
        },
        response: {
          200: answer(
            'The event was recorded before, or the results of a batch in the order of its events.',
            z.discriminatedUnion('outcome', [RecordedOut, BatchResultOut]),
          ),
          201: answer('The event is recorded.', RecordedOut, { examples: RECORDED_EXAMPLES }),
          ...problems(...FACT_PROBLEMS, 'void-target-unknown', 'void-target-not-voidable'),
        },
      },
    },
    async (request, reply) => {
      const body: unknown = request.body;
      if (mediaTypeOf(request) === BATCH)
        return { outcome: 'batch' as const, results: await recordBatch(recorder, request) };
      const submission = parseSingle(request, body);
      if (submission instanceof Problem) throw asPosted(request, submission);
      await recorder.recordOne(submission, request.caller, reply).catch((error: unknown) => {
        throw error instanceof Problem ? asPosted(request, error) : error;
      });
      return reply;
    },
  );

  app.get(
    '/v1/events/:eventId',
    {
      config: { access: { producer: 'own', auditor: 'all', customer: 'own' } },
      schema: {
        operationId: 'getEvent',
        tags: ['Audit'],
        summary: 'Get a recorded fact, with the proof that it is in the signed log',
        description: 'The proof is against a signed checkpoint, which is signed now if none covers the fact.',
        params: EventPath,
        querystring: z.strictObject({ ...Reading }),
        response: { 200: answer('The fact with its proof.', ProvedEvent), ...problems('not-found') },
      },
    },
    async ({ params: { eventId }, query }, reply) => {
      const model = await modelFor(services.projections, query, reply);
      const place = model.locate(eventId);
      if (place?.clusterId !== undefined) {
        const options = { from: place.revision, limit: 1 };
        for await (const event of services.store.readStream(clusterStream(place.clusterId), options)) {
          const proof = await proofOf(services.signedLog, place.position);
          return { ...toCloudEvent(event, place.position), ...(proof !== undefined && { proof }) };
        }
      }
      throw new Problem('not-found', `fact ${eventId} does not exist`);
    },
  );
}

/** Returns the proof that an event is in the log, and signs a new checkpoint if none covers the event. */
async function proofOf(
  signedLog: SignedLog,
  position: Position,
): Promise<z.output<typeof ProofOut> | undefined> {
  if (!(await signedLog.waitUntilReady(READ_TIMEOUT_MS, position))) return undefined;
  try {
    const { size: treeSize, note: checkpoint } = await signedLog.checkpoint(position);
    const { proof: hashes, ...leaf } = await inclusionOf(signedLog, position, treeSize);
    return { position: String(position), ...leaf, treeSize, hashes, checkpoint };
  } catch (error) {
    if (error instanceof LogTampered || error instanceof LeavesChanged) return undefined;
    throw error;
  }
}

function mediaTypeOf({ headers }: FastifyRequest): string | undefined {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase();
}

function parseSingle(request: FastifyRequest, body: unknown): Submission | Problem {
  const { actor } = request.caller;
  if (mediaTypeOf(request) === STRUCTURED) return parseEvent(body, request.bodyBytes, actor);
  if (!isBinaryMode(request.raw)) {
    const detail = `post ${STRUCTURED}, ${BATCH}, or application/json with the event's attributes in ce- headers`;
    return new Problem('unsupported-media-type', detail);
  }
  const event = binaryEvent(request.raw, request.bodyBytes === 0 ? undefined : body);
  return parseEvent(event, request.bodyBytes, actor);
}

/** Returns the problem with pointers into the request as it was posted. */
function asPosted(request: FastifyRequest, problem: Problem): Problem {
  if (mediaTypeOf(request) === STRUCTURED || problem.errors === undefined) return problem;
  const errors = problem.errors.map(({ pointer, detail }) => ({ pointer: inBinaryMode(pointer), detail }));
  return problem.code === 'invalid-request'
    ? invalidRequest(errors)
    : new Problem(problem.code, problem.message, { errors });
}

async function recordBatch(recorder: Recorder, { body, bodyBytes, caller }: FastifyRequest) {
  if (!Array.isArray(body)) throw invalidRequest([{ pointer: '', detail: 'must be an array of events' }]);
  if (body.length > MAX_BATCH_EVENTS) {
    throw new Problem(
      'too-large',
      `a batch may have at most ${MAX_BATCH_EVENTS} events; this batch has ${body.length}`,
    );
  }
  const parsed = body.map((event: unknown) => parseEvent(event, bodyBytes, caller.actor));
  const submissions = parsed.filter((item): item is Submission => !(item instanceof Problem));
  const recorded = (await recorder.record(submissions, caller)).values();
  return parsed.map((item) => {
    const answer = item instanceof Problem ? item : (recorded.next().value as RecordedOut | Problem);
    return answer instanceof Problem ? { outcome: 'rejected' as const, problem: answer.document() } : answer;
  });
}
