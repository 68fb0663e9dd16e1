import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { BatchResultOut, RecordedOut } from '../../api/events.ts';
import { type ProofOut, ProvedEvent } from '../../api/proofs.ts';
import { LogTampered } from '../../audit/signed-log.ts';
import { LeavesChanged } from '../../audit/tree.ts';
import { toCloudEvent } from '../../delivery/feed-event.ts';
import type { Caller } from '../../domain/access/caller.ts';
import { clusterStream } from '../../domain/stream-table.ts';
import type { Submission } from '../../ledger/submission.ts';
import { READ_TIMEOUT_MS } from '../../projections/wait-limits.ts';
import type { Position } from '../../util/log-numbers.ts';
import { answer, FACT_PROBLEMS, onlyDescribed, problems } from '../contract.ts';
import { binaryEvent, inBinaryMode, isBinaryMode } from '../ingest/binary-mode.ts';
import { BinaryModeHeaders, CloudEvent, EventData } from '../ingest/cloud-event-envelope.ts';
import { BATCH_EXAMPLES, DATA_EXAMPLES, EVENT_EXAMPLES, RECORDED_EXAMPLES } from '../ingest/examples.ts';
import { MAX_EVENT_BYTES, parseEvent } from '../ingest/parse-event.ts';
import { PostsInProgress } from '../ingest/posts-in-progress.ts';
import { Recorder } from '../ingest/recorder.ts';
import { refusedEvent } from '../ingest/refused-event.ts';
import { inclusionOf } from '../log-access.ts';
import { addGauge } from '../metrics/gauge.ts';
import { EventPath, Reading } from '../params/fields.ts';
import { mediaTypeOf } from '../params/media-type.ts';
import { modelFor } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { malformedJson } from '../server/bodies.ts';
import { invalidRequest, Problem } from '../server/problem.ts';

export const STRUCTURED = 'application/cloudevents+json';
export const BATCH = 'application/cloudevents-batch+json';

const MAX_BATCH_EVENTS = 1_000;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** Maximum size of the text of an event. White space and escapes make it longer than its canonical JSON. */
const MAX_TEXT_BYTES = 4 * MAX_EVENT_BYTES;

const postEventsSchema = {
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
};

const getEventSchema = {
  operationId: 'getEvent',
  tags: ['Audit'],
  summary: 'Get a recorded fact, with the proof that it is in the signed log',
  description: 'The proof is against a signed checkpoint, which is signed now if none covers the fact.',
  params: EventPath,
  querystring: z.strictObject({ ...Reading }),
  response: { 200: answer('The fact with its proof.', ProvedEvent), ...problems('not-found') },
};

/** Adds the routes that post events and read a single fact. */
export function eventRoutes(app: App, services: HttpServices): void {
  const recorder = new Recorder(services);
  const posts = new PostsInProgress();
  addGauge(
    services.metrics.registry,
    'ledger_posts_in_progress',
    'Number of posts of events that are being recorded',
    () => posts.count,
  );

  app.post(
    '/v1/events',
    {
      bodyLimit: MAX_BATCH_BYTES,
      config: {
        access: { producer: 'all' },
        mediaTypes: [STRUCTURED, BATCH, 'application/json'],
        judgesItems: true,
        maxItemBytes: MAX_TEXT_BYTES,
      },
      schema: postEventsSchema,
    },
    (request, reply) =>
      posts.run(request, async () => {
        if (mediaTypeOf(request.headers['content-type']) === BATCH)
          return { outcome: 'batch' as const, results: await recordBatch(recorder, request) };
        const { event, parsed: submission, text } = parseSingle(request);
        if (submission instanceof Problem) {
          await keepRefused(recorder, [{ event, problem: submission, text }], request.caller);
          throw asPosted(request, submission);
        }
        try {
          await recorder.recordOne(submission, request.caller, reply);
        } catch (error) {
          throw error instanceof Problem ? asPosted(request, error) : error;
        }
        return undefined;
      }),
  );

  app.get(
    '/v1/events/:eventId',
    {
      config: { access: { producer: 'own', auditor: 'all', customer: 'own' } },
      schema: getEventSchema,
    },
    async ({ params: { eventId }, query }, reply) => {
      const model = await modelFor(services.projections, query, reply);
      const place = model.locate(eventId);
      if (place?.clusterId !== undefined) {
        const options = { from: place.revision, limit: 1 };
        for await (const event of services.store.readStream(clusterStream(place.clusterId), options)) {
          const proof = await proofOf(services, place.position);
          return {
            ...toCloudEvent(event, place.position, services.epochs()),
            ...(proof !== undefined && { proof }),
          };
        }
      }
      throw new Problem('not-found', `fact ${eventId} does not exist`);
    },
  );
}

/** Returns the proof that an event is in the log, and signs a new checkpoint if none covers the event. */
async function proofOf(
  { signedLog, witnesses }: HttpServices,
  position: Position,
): Promise<z.output<typeof ProofOut> | undefined> {
  if (!(await signedLog.waitUntilReady(READ_TIMEOUT_MS, position))) return undefined;
  try {
    const { size: treeSize, note } = await signedLog.checkpoint(position);
    const checkpoint = witnesses.cosigned({ note });
    const { proof: hashes, ...leaf } = await inclusionOf(signedLog, position, treeSize);
    return { position: String(position), ...leaf, treeSize, hashes, checkpoint };
  } catch (error) {
    if (error instanceof LogTampered || error instanceof LeavesChanged) return undefined;
    throw error;
  }
}

/** An event as it was posted, and what it was parsed to. */
interface Posted {
  /** `undefined` if only the text is known. */
  readonly event: unknown;
  readonly parsed: Submission | Problem;
  /** The text that was posted, if it is not strict JSON. */
  readonly text?: string | undefined;
}

/** @param index of the event in the body. */
function parsePosted(event: unknown, { caller, bodyBytes, jsonItems }: FastifyRequest, index = 0): Posted {
  const size = jsonItems?.sizes[index] ?? bodyBytes;
  return { event, parsed: parseEvent(event, caller.actor, { bodyBytes: size }) };
}

/** @throws Problem if the request is not an event in structured or binary mode */
function parseSingle(request: FastifyRequest): Posted {
  const isStructured = mediaTypeOf(request.headers['content-type']) === STRUCTURED;
  if (!isStructured && !isBinaryMode(request.raw)) {
    const detail = `post ${STRUCTURED}, ${BATCH}, or application/json with the event's attributes in ce- headers`;
    throw new Problem('unsupported-media-type', detail);
  }
  const fault = request.jsonItems?.faults.get(0);
  if (isStructured) {
    return fault === undefined
      ? parsePosted(request.body, request)
      : { event: undefined, parsed: malformedJson(fault.error), text: fault.text };
  }
  const data = request.bodyBytes === 0 ? undefined : request.body;
  const event = binaryEvent(request.raw, fault === undefined ? data : undefined);
  return fault === undefined
    ? parsePosted(event, request)
    : { event, parsed: malformedJson(fault.error, '/data'), text: fault.text };
}

/** Keeps the well-formed ones of events that are not valid. */
async function keepRefused(
  recorder: Recorder,
  refused: readonly {
    readonly event: unknown;
    readonly problem: Problem;
    readonly text?: string | undefined;
  }[],
  { actor }: Caller,
): Promise<void> {
  const kept = refused.map(({ event, problem, text }) => refusedEvent(event, problem, text, actor));
  await recorder.keep(kept.filter((each) => each !== undefined));
}

/** Returns the problem with pointers into the request as it was posted. */
function asPosted(request: FastifyRequest, problem: Problem): Problem {
  if (mediaTypeOf(request.headers['content-type']) === STRUCTURED || problem.errors === undefined)
    return problem;
  const errors = problem.errors.map(({ pointer, detail }) => ({ pointer: inBinaryMode(pointer), detail }));
  return problem.code === 'invalid-request'
    ? invalidRequest(errors)
    : new Problem(problem.code, problem.message, { errors });
}

async function recordBatch(recorder: Recorder, request: FastifyRequest) {
  const { body, jsonItems, caller, id } = request;
  if (!Array.isArray(body)) throw invalidRequest([{ pointer: '', detail: 'must be an array of events' }]);
  if (body.length > MAX_BATCH_EVENTS) {
    throw new Problem(
      'too-large',
      `a batch may have at most ${MAX_BATCH_EVENTS} events; this batch has ${body.length}`,
    );
  }
  const posted = body.map((event: unknown, i): Posted => {
    const fault = jsonItems?.faults.get(i);
    if (fault === undefined) return parsePosted(event, request, i);
    return { event: undefined, parsed: malformedJson(fault.error), text: fault.text };
  });
  const refused = posted.flatMap(({ event, parsed, text }) =>
    parsed instanceof Problem ? [{ event, problem: parsed, text }] : [],
  );
  await keepRefused(recorder, refused, caller);
  const submissions = posted.flatMap(({ parsed }) => (parsed instanceof Problem ? [] : [parsed]));
  const recorded = (await recorder.record(submissions, caller)).values();
  return posted.map(({ parsed }) => {
    const answer = parsed instanceof Problem ? parsed : (recorded.next().value as RecordedOut | Problem);
    return answer instanceof Problem
      ? { outcome: 'rejected' as const, problem: answer.document(id) }
      : answer;
  });
}
