import { createHash, randomUUID } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { VoidPreviewOut } from '../../api/corrections.ts';
import { RecordedOut } from '../../api/events.ts';
import { factToCloudEvent } from '../../domain/facts/cloud-event.ts';
import { Cause, type Fact, factPayloads } from '../../domain/facts/fact.ts';
import type { Instant } from '../../domain/time.ts';
import { LEDGER_SOURCE, type Submission } from '../../ledger/submission.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { readFacts } from '../../projections/queries/read-facts.ts';
import { previewVoid } from '../../usecases/preview-void.ts';
import type { Position } from '../../util/log-numbers.ts';
import { problemResponses } from '../contract.ts';
import { factRef } from '../fact-view.ts';
import { Recorder } from '../ingest/recorder.ts';
import { ClusterPath, EventPath, InstantText } from '../params/fields.ts';
import { clusterNumber, modelFor, requireReadable } from '../params/read-model.ts';
import { type App, type HttpServices, LOOPBACK_CALLER } from '../server/app.ts';
import { Problem, problemOf } from '../server/problem.ts';

/** The source of facts that are posted to these resources. */
const SOURCE = `${LEDGER_SOURCE}:api`;

const headers = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable characters without spaces')
    .optional()
    .describe('A request with the same key for the same cluster is a duplicate, at any time.'),
});

const timed = {
  effectiveAt: InstantText.optional().describe('When the fact became true; by default now.'),
};
const Registration = factPayloads.ClusterRegistered.extend(timed);
const StopOrResume = z.strictObject({
  cause: Cause.prefault('manual'),
  reason: factPayloads.BillingStopped.shape.reason,
  ...timed,
});
const Voiding = z.strictObject({
  reason: factPayloads.FactVoided.shape.reason,
  dryRun: z.boolean().optional().describe('Only return what would change; nothing is written.'),
  ...timed,
});

const response = { 200: RecordedOut, 201: RecordedOut, ...problemResponses };

/** Adds the routes by which people and scripts post facts, one per request. The rules are those of POST /v1/events. */
export function correctionRoutes(app: App, services: HttpServices): void {
  const recorder = new Recorder(services);
  const tags = ['Corrections'];

  app.put(
    '/v1/clusters/:clusterId',
    {
      schema: {
        operationId: 'registerCluster',
        tags,
        summary: 'Register a cluster',
        description: 'Posting the same body again returns a duplicate, with or without an Idempotency-Key.',
        params: ClusterPath,
        headers,
        body: Registration,
        response,
      },
    },
    async (request, reply) => {
      const { effectiveAt, ...payload } = request.body;
      const { clusterId } = request.params;
      const id =
        keyOf(request) ??
        `put-${createHash('sha256')
          .update(canonicalize(request.body) ?? '')
          .digest('hex')}`;
      const fact = {
        type: 'ClusterRegistered',
        clusterId,
        effectiveAt: effectiveAt ?? services.now(),
        ...payload,
      } as const;
      await recorder.recordOne(submissionOf(fact, id, effectiveAt), reply);
      return reply;
    },
  );

  for (const [resource, type, summary] of [
    ['billing-stops', 'BillingStopped', 'Stop the billing of a cluster'],
    ['billing-resumptions', 'BillingResumed', 'Resume the billing of a cluster'],
  ] as const) {
    app.post(
      `/v1/clusters/:clusterId/${resource}`,
      {
        schema: {
          operationId: `post${type}`,
          tags,
          summary,
          description: 'Each cause stops billing independently: resuming one does not resume another.',
          params: ClusterPath,
          headers,
          body: StopOrResume,
          response,
        },
      },
      async (request, reply) => {
        const { effectiveAt, ...payload } = request.body;
        const { clusterId } = request.params;
        const fact = { type, clusterId, effectiveAt: effectiveAt ?? services.now(), ...payload };
        await recorder.recordOne(submissionOf(fact, keyOf(request) ?? randomUUID(), effectiveAt), reply);
        return reply;
      },
    );
  }

  app.post(
    '/v1/events/:eventId/void',
    {
      schema: {
        operationId: 'voidEvent',
        tags,
        summary: 'Void a fact: it no longer has any effect',
        params: EventPath,
        headers,
        body: Voiding,
        response: { ...response, 200: z.union([RecordedOut, VoidPreviewOut]) },
      },
    },
    async (request, reply) => {
      const { effectiveAt, reason, dryRun = false } = request.body;
      const { eventId: voids } = request.params;
      const model = dryRun ? await modelFor(services.projections, {}, reply) : services.projections.model;
      const place = model.locate(voids);
      if (place?.clusterId === undefined) throw new Problem('not-found', `fact ${voids} does not exist`);
      const { clusterId } = place;
      const now = services.now();
      const fact = {
        type: 'FactVoided',
        clusterId,
        effectiveAt: effectiveAt ?? now,
        voids,
        reason,
      } as const;
      const submission = submissionOf(fact, keyOf(request) ?? randomUUID(), effectiveAt);
      if (dryRun) return reply.send(await previewOut(services, model, place.position, submission));
      await recorder.recordOne(submission, reply);
      return reply;
    },
  );
}

/** Previews a void. @throws Problem as the void itself would be rejected */
async function previewOut(
  { store, now }: HttpServices,
  model: LedgerModel,
  position: Position,
  submission: Submission,
): Promise<VoidPreviewOut> {
  const { clusterId } = submission.fact;
  requireReadable(model, clusterNumber(model, clusterId));
  const preview = await previewVoid(store, model, submission, now());
  if (preview.outcome === 'rejected') throw problemOf(preview.rejection);
  const { outcome, accountId = null, periods } = preview;
  const fact = factRef(model, await readFacts(store, model, [position]), position);
  return { outcome, eventId: fact.eventId, clusterId, accountId, fact, periods: [...periods] };
}

function keyOf({ headers: requestHeaders }: FastifyRequest): string | undefined {
  const key = requestHeaders['idempotency-key'];
  return typeof key === 'string' ? key : undefined;
}

function submissionOf(fact: Fact, id: string, effectiveAt: Instant | undefined): Submission {
  return {
    fact,
    origin: { source: SOURCE, id, actor: LOOPBACK_CALLER.actor },
    isTimedByLedger: effectiveAt === undefined,
    event: factToCloudEvent(fact, { source: SOURCE, id }),
  };
}
