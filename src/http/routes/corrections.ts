import { createHash, randomUUID } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SwitchPreviewOut, TransferPreviewOut, VoidPreviewOut } from '../../api/corrections.ts';
import { RecordedOut } from '../../api/events.ts';
import type { Caller } from '../../domain/access/caller.ts';
import { isBilledAt } from '../../domain/billing/billing.ts';
import { API_SOURCE, factToCloudEvent } from '../../domain/facts/cloud-event.ts';
import { AccountId, Cause, type Fact, factPayloads } from '../../domain/facts/fact.ts';
import type { Instant } from '../../domain/time.ts';
import type { Submission } from '../../ledger/submission.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { readFacts } from '../../projections/queries/read-facts.ts';
import { type ChangePreview, previewChange } from '../../usecases/preview-change.ts';
import { answer, FACT_PROBLEMS, problems } from '../contract.ts';
import { factRef } from '../fact-view.ts';
import { Recorder } from '../ingest/recorder.ts';
import { ClusterPath, EventPath, InstantText, instantOut } from '../params/fields.ts';
import { clusterNumber, modelFor, requireReadable } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { Problem, problemOf } from '../server/problem.ts';

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
  dryRun: z.boolean().optional().describe('Only compute what would change; nothing is written.'),
  ...timed,
});
const Transfer = z.strictObject({
  accountId: AccountId.describe('The account that is billed from then on.'),
  dryRun: z.boolean().optional().describe('Only compute what would change; nothing is written.'),
  ...timed,
});
const Voiding = z.strictObject({
  reason: factPayloads.FactVoided.shape.reason,
  dryRun: z.boolean().optional().describe('Only return what would change; nothing is written.'),
  ...timed,
});

const response = {
  200: answer('The fact was recorded before.', RecordedOut),
  201: answer('The fact is recorded.', RecordedOut),
  ...problems(...FACT_PROBLEMS),
};

const tags = ['Corrections'];

const registerClusterSchema = {
  operationId: 'registerCluster',
  tags,
  summary: 'Register a cluster',
  description: 'Posting the same body again returns a duplicate, with or without an Idempotency-Key.',
  params: ClusterPath,
  headers,
  body: Registration,
  response,
};

const transferClusterSchema = {
  operationId: 'transferCluster',
  tags,
  summary: 'Transfer a cluster to another account',
  description:
    'Records a ClusterChanged with the new account. With dryRun nothing is written: the answer says what each account ' +
    'would be credited and charged.',
  params: ClusterPath,
  headers,
  body: Transfer,
  response: {
    200: answer(
      'The fact was recorded before, or with `dryRun` what it would change.',
      z.discriminatedUnion('outcome', [RecordedOut, TransferPreviewOut]),
    ),
    201: answer('The fact is recorded.', RecordedOut),
    ...problems(...FACT_PROBLEMS, 'not-found'),
  },
};

const voidEventSchema = {
  operationId: 'voidEvent',
  tags,
  summary: 'Void a fact: it no longer has any effect',
  description:
    'The fact and its void stay in the log. With dryRun nothing is written: the answer says what each account would be credited and charged.',
  params: EventPath,
  headers,
  body: Voiding,
  response: {
    200: answer(
      'The fact was recorded before, or with `dryRun` what it would change.',
      z.discriminatedUnion('outcome', [RecordedOut, VoidPreviewOut]),
    ),
    201: response[201],
    ...problems(...FACT_PROBLEMS, 'not-found', 'void-target-unknown', 'void-target-not-voidable'),
  },
};

/** Adds the routes by which people and scripts post facts, one per request. The rules are those of POST /v1/events. */
export function correctionRoutes(app: App, services: HttpServices): void {
  const recorder = new Recorder(services);

  app.put(
    '/v1/clusters/:clusterId',
    {
      config: { access: { producer: 'all' } },
      schema: registerClusterSchema,
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
      await recorder.recordOne(submissionOf(fact, id, request), request.caller, reply);
      return reply;
    },
  );

  addSwitchRoute(app, services, recorder, {
    resource: 'billing-stops',
    type: 'BillingStopped',
    summary: 'Stop the billing of a cluster',
    would: 'would-stop',
  });
  addSwitchRoute(app, services, recorder, {
    resource: 'billing-resumptions',
    type: 'BillingResumed',
    summary: 'Resume the billing of a cluster',
    would: 'would-resume',
  });

  app.post(
    '/v1/clusters/:clusterId/transfers',
    {
      config: { access: {} },
      schema: transferClusterSchema,
    },
    async (request, reply) => {
      const { effectiveAt, accountId, dryRun = false } = request.body;
      const { clusterId } = request.params;
      const model = await modelFor(services.projections, {}, reply);
      clusterNumber(model, clusterId);
      const at = effectiveAt ?? services.now();
      const fact = { type: 'ClusterChanged', clusterId, effectiveAt: at, accountId } as const;
      const submission = submissionOf(fact, keyOf(request) ?? randomUUID(), request);
      if (!dryRun) {
        await recorder.recordOne(submission, request.caller, reply);
        return reply;
      }
      const { accounts } = await preview(services, model, submission);
      const head = { outcome: 'would-transfer' as const, clusterId, accountId, effectiveAt: instantOut(at) };
      return reply.send({ ...head, accounts });
    },
  );

  app.post(
    '/v1/events/:eventId/void',
    {
      config: { access: {} },
      schema: voidEventSchema,
    },
    async (request, reply) => {
      const { effectiveAt, reason, dryRun = false } = request.body;
      const { eventId: voids } = request.params;
      const model = dryRun ? await modelFor(services.projections, {}, reply) : services.projections.model;
      const place = model.locate(voids);
      if (place?.clusterId === undefined) throw new Problem('not-found', `fact ${voids} does not exist`);
      const { clusterId } = place;
      const fact = {
        type: 'FactVoided',
        clusterId,
        effectiveAt: effectiveAt ?? services.now(),
        voids,
        reason,
      } as const;
      const submission = submissionOf(fact, keyOf(request) ?? randomUUID(), request);
      if (dryRun) {
        const { accounts } = await preview(services, model, submission);
        const voided = factRef(
          model,
          await readFacts(services.store, model, [place.position]),
          place.position,
        );
        return reply.send({ outcome: 'would-void', eventId: voids, clusterId, fact: voided, accounts });
      }
      await recorder.recordOne(submission, request.caller, reply);
      return reply;
    },
  );
}

/** A route that stops or resumes billing. */
interface SwitchRoute {
  readonly resource: string;
  readonly type: 'BillingStopped' | 'BillingResumed';
  readonly summary: string;
  /** The outcome of a dry run. */
  readonly would: 'would-stop' | 'would-resume';
}

function addSwitchRoute(
  app: App,
  services: HttpServices,
  recorder: Recorder,
  { resource, type, summary, would }: SwitchRoute,
): void {
  app.post(
    `/v1/clusters/:clusterId/${resource}`,
    {
      config: { access: {} },
      schema: {
        operationId: `post${type}`,
        tags,
        summary,
        description:
          'Each cause stops billing independently: resuming one does not resume another. With dryRun nothing is written.',
        params: ClusterPath,
        headers,
        body: StopOrResume,
        response: {
          200: answer(
            'The fact was recorded before, or with `dryRun` what it would change.',
            z.discriminatedUnion('outcome', [RecordedOut, SwitchPreviewOut]),
          ),
          201: response[201],
          ...problems(...FACT_PROBLEMS, 'not-found'),
        },
      },
    },
    async (request, reply) => {
      const { effectiveAt, dryRun = false, ...payload } = request.body;
      const { clusterId } = request.params;
      const at = effectiveAt ?? services.now();
      const fact = { type, clusterId, effectiveAt: at, ...payload };
      const submission = submissionOf(fact, keyOf(request) ?? randomUUID(), request);
      if (!dryRun) {
        await recorder.recordOne(submission, request.caller, reply);
        return reply;
      }
      const model = await modelFor(services.projections, {}, reply);
      const { accounts, billing } = await preview(services, model, submission);
      const now = services.now();
      return reply.send({
        outcome: would,
        clusterId,
        effectiveAt: instantOut(at),
        billedBefore: model.isBilledAt(clusterNumber(model, clusterId), now),
        billedAfter: isBilledAt(billing.intervals, now),
        accounts,
      });
    },
  );
}

/** Computes what a fact would change for each account. @throws Problem as the fact itself would be rejected */
async function preview(
  { store, now, graceMs }: HttpServices,
  model: LedgerModel,
  submission: Submission,
): Promise<Extract<ChangePreview, { outcome: 'previewed' }>> {
  const { clusterId } = submission.fact;
  requireReadable(model, clusterNumber(model, clusterId));
  const previewed = await previewChange(store, model, { clusterId, submission, now: now(), graceMs });
  if (previewed.outcome === 'rejected') throw problemOf(previewed.rejection);
  return previewed;
}

function keyOf({ headers: requestHeaders }: FastifyRequest): string | undefined {
  const key = requestHeaders['idempotency-key'];
  return typeof key === 'string' ? key : undefined;
}

/** Returns the submission of a fact. If the request does not name a time, the ledger sets it. */
function submissionOf(
  fact: Fact,
  id: string,
  {
    caller,
    body,
  }: { readonly caller: Caller; readonly body: { readonly effectiveAt?: Instant | undefined } },
): Submission {
  return {
    fact,
    origin: { source: API_SOURCE, id, actor: caller.actor },
    isTimedByLedger: body.effectiveAt === undefined,
    event: factToCloudEvent(fact, { source: API_SOURCE, id }),
  };
}
