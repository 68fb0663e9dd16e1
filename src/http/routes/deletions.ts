import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { DeletionOut, DeletionRequestOut } from '../../api/deletions.ts';
import { Next } from '../../api/values.ts';
import type { Caller } from '../../domain/access/caller.ts';
import { usageOf } from '../../domain/billing/usage-meter.ts';
import { confirmBy, type Deletion, isUnderWay } from '../../domain/cluster-deletion.ts';
import { factToCloudEvent, LEDGER_SOURCE } from '../../domain/facts/cloud-event.ts';
import { type Fact, line } from '../../domain/facts/fact.ts';
import { formatInstant, periodOf, periodWindow } from '../../domain/time.ts';
import type { Submission } from '../../ledger/submission.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { viewCluster } from '../../projections/queries/cluster-view.ts';
import { answer, FACT_PROBLEMS, problems } from '../contract.ts';
import { deletionOut, readDeletions } from '../deletion-view.ts';
import { Recorder } from '../ingest/recorder.ts';
import { ClusterPath, instantOut, Paging, Reading } from '../params/fields.ts';
import { openPage, pageOf } from '../params/paging.ts';
import { clusterNumber, modelFor, modelForPage, requireReadable } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest, Problem } from '../server/problem.ts';

/** The source of the facts of deletions. */
const SOURCE = `${LEDGER_SOURCE}:deletions`;
/** A token has 192 bits. */
const TOKEN_BYTES = 24;

const tags = ['Deletions'];
const DeletionId = line(255).describe('The id of the deletion.');
const DeletionPath = ClusterPath.extend({ deletionId: DeletionId });
const Reason = z.strictObject({ reason: line(1_000).optional().describe('Why, for auditors.') });

/** Who may ask for deletions, and follow them. */
const config = { access: { producer: 'own', auditor: 'all', customer: 'own' } } as const;
const writing = { access: { producer: 'own', customer: 'own' } } as const;

const requestSchema = {
  operationId: 'requestDeletion',
  tags,
  summary: 'Request the deletion of a cluster',
  description:
    'Records that the deletion was requested, and nothing else. The answer shows what deleting would do, and has the token that confirms it: once, and within 10 minutes.',
  params: ClusterPath,
  body: Reason.nullish(),
  response: {
    201: answer('The requested deletion.', DeletionRequestOut),
    ...problems('deletion-in-progress', ...FACT_PROBLEMS),
  },
};

const confirmSchema = {
  operationId: 'confirmDeletion',
  tags,
  summary: 'Confirm a deletion',
  description:
    'Needs the name of the cluster, typed exactly, and the token. The application that deletes clusters learns of it by the feed or a webhook, and posts `cluster.deleted`. With `deletion.mode: ledger-only` the confirmation itself ends the bill.',
  params: DeletionPath,
  body: z.strictObject({
    name: line(253).describe('The name of the cluster, or its id if it has no name.'),
    confirmationToken: z.string().max(255).describe('The token of the request.'),
  }),
  response: {
    202: answer('The confirmed deletion.', DeletionOut),
    ...problems('deletion-token-invalid', 'clock-untrusted', ...FACT_PROBLEMS),
  },
};

const cancelSchema = {
  operationId: 'cancelDeletion',
  tags,
  summary: 'Cancel a deletion',
  description:
    'Possible until the cluster is deleted. The application that deletes clusters learns of it by the feed or a webhook. Canceling again changes nothing.',
  params: DeletionPath,
  body: Reason.nullish(),
  response: {
    200: answer('The cancelled deletion.', DeletionOut),
    ...problems('deletion-ended', ...FACT_PROBLEMS),
  },
};

const getSchema = {
  operationId: 'getDeletion',
  tags,
  summary: 'Get a deletion: its state and its steps',
  description:
    'Follows a deletion to its end: billing has stopped, and the validator has verified that the cluster is gone.',
  params: DeletionPath,
  querystring: z.strictObject({ ...Reading }),
  response: { 200: answer('The deletion.', DeletionOut), ...problems('cluster-halted') },
};

const listSchema = {
  operationId: 'listDeletions',
  tags,
  summary: 'List the deletions of a cluster, latest first',
  description: 'Also those that the application posted as events with an id of a deletion.',
  params: ClusterPath,
  querystring: z.strictObject({ ...Paging, ...Reading }),
  response: {
    200: answer('A page of the deletions.', z.strictObject({ items: z.array(DeletionOut), ...Next })),
    ...problems('cluster-halted'),
  },
};

/** Adds the routes that delete a cluster with a second confirmation, and follow a deletion to its end. */
export function deletionRoutes(app: App, services: HttpServices): void {
  const recorder = new Recorder(services);
  const path = '/v1/clusters/:clusterId/deletions';

  app.post(path, { config: writing, schema: requestSchema }, async (request, reply) => {
    const { params, body, caller } = request;
    const { clusterId } = params;
    const model = await readableModel(services, clusterId, reply);
    const view = viewCluster(model, clusterNumber(model, clusterId), services.now());
    if (view.deletedAt !== undefined) throw alreadyDeleted(clusterId, view.deletedAt);
    const active = (await readDeletions(services, clusterId)).find(isUnderWay);
    if (active !== undefined)
      throw new Problem(
        'deletion-in-progress',
        `deletion ${active.deletionId} of cluster ${clusterId} is confirmed; follow it, or cancel it first; nothing was recorded`,
      );
    const confirmationToken = randomBytes(TOKEN_BYTES).toString('base64url');
    const deletionId = deletionIdOf(confirmationToken);
    await record(recorder, caller, [
      {
        type: 'ClusterDeletionRequested',
        clusterId,
        deletionId,
        effectiveAt: services.now(),
        ...reasonOf(body),
      },
    ]);
    const deletion = await requireDeletion(services, clusterId, deletionId);
    const preview = previewOf(model, view, services);
    reply.code(201).header('location', `/v1/clusters/${clusterId}/deletions/${deletionId}`);
    reply.header('cache-control', 'no-store');
    const expiresAt = instantOut(confirmBy(deletion) as number);
    return { ...deletionOut(services, clusterId, deletion), expiresAt, preview, confirmationToken };
  });

  app.post(
    `${path}/:deletionId/confirm`,
    { config: writing, schema: confirmSchema },
    async (request, reply) => {
      const { params, body, caller } = request;
      const { clusterId, deletionId } = params;
      const model = await readableModel(services, clusterId, reply);
      const deletion = await requireDeletion(services, clusterId, deletionId);
      requireToken(services, deletion, body.confirmationToken);
      const view = viewCluster(model, clusterNumber(model, clusterId), services.now());
      if (view.deletedAt !== undefined) throw alreadyDeleted(clusterId, view.deletedAt);
      const expected = view.attributes.name ?? clusterId;
      if (body.name !== expected)
        throw invalidRequest([
          {
            pointer: '/name',
            detail: `must be the name of the cluster, typed exactly; given ${JSON.stringify(body.name)}`,
          },
        ]);
      const effectiveAt = services.now();
      const confirmed = { type: 'ClusterDeletionConfirmed', clusterId, deletionId, effectiveAt } as const;
      const deleted = {
        type: 'ClusterDeleted',
        clusterId,
        effectiveAt,
        reason: `deletion ${deletionId} was confirmed`,
      } as const;
      await record(
        recorder,
        caller,
        services.deletionMode === 'ledger-only' ? [confirmed, deleted] : [confirmed],
      );
      return reply
        .code(202)
        .send(deletionOut(services, clusterId, await requireDeletion(services, clusterId, deletionId)));
    },
  );

  app.post(
    `${path}/:deletionId/cancel`,
    { config: writing, schema: cancelSchema },
    async (request, reply) => {
      const { params, body, caller } = request;
      const { clusterId, deletionId } = params;
      await readableModel(services, clusterId, reply);
      const deletion = await requireDeletion(services, clusterId, deletionId);
      if (deletion.deleted !== undefined)
        throw new Problem(
          'deletion-ended',
          `cluster ${clusterId} is deleted, so deletion ${deletionId} cannot be canceled; void the deletion if it is wrong`,
        );
      if (deletion.cancelled === undefined)
        await record(recorder, caller, [
          {
            type: 'ClusterDeletionCancelled',
            clusterId,
            deletionId,
            effectiveAt: services.now(),
            ...reasonOf(body),
          },
        ]);
      return deletionOut(services, clusterId, await requireDeletion(services, clusterId, deletionId));
    },
  );

  app.get(`${path}/:deletionId`, { config, schema: getSchema }, async ({ params, query }, reply) => {
    await readableModel(services, params.clusterId, reply, query);
    const deletion = await requireDeletion(services, params.clusterId, params.deletionId);
    return deletionOut(services, params.clusterId, deletion);
  });

  app.get(path, { config, schema: listSchema }, async (request, reply) => {
    const { params, query } = request;
    const { clusterId } = params;
    const page = openPage(request, 'number');
    const { model, position } = await modelForPage(services, page, query, reply);
    requireReadable(model, clusterNumber(model, clusterId));
    const deletions = (await readDeletions(services, clusterId)).map((deletion, index) => ({
      deletion,
      index,
    }));
    const before = Number(page.after?.[0] ?? Number.POSITIVE_INFINITY);
    const { items, last } = pageOf(
      deletions.reverse(),
      query.limit,
      ({ index }) => index < before,
      ({ index }) => [index],
    );
    const out = items.map(({ deletion }) => deletionOut(services, clusterId, deletion));
    return { items: out, ...page.next(last, { position }) };
  });
}

/**
 * Returns the id of the deletion that a token confirms: a part of the SHA-256 of the token. So every replica can check the token,
 * and none stores it.
 */
function deletionIdOf(token: string): string {
  return `del-${hash('sha256', token, 'hex').slice(0, 40)}`;
}

/** @throws Problem `deletion-token-invalid` if the token is wrong, used or too old; `clock-untrusted` */
function requireToken({ clockGuard, now }: HttpServices, deletion: Deletion, token: string): void {
  const isRight = timingSafeEqual(
    hash('sha256', deletionIdOf(token), 'buffer'),
    hash('sha256', deletion.deletionId, 'buffer'),
  );
  const invalid = (why: string) =>
    new Problem('deletion-token-invalid', `${why}; nothing was recorded; request the deletion again`);
  if (!isRight) throw invalid('the token does not confirm this deletion');
  if (deletion.confirmed !== undefined) throw invalid('the token was used before');
  if (deletion.cancelled !== undefined) throw invalid('the deletion was cancelled');
  const { doubt } = clockGuard;
  if (doubt !== undefined)
    throw new Problem(
      'clock-untrusted',
      `the clock of the host cannot be trusted, so it is not certain that the token is still valid: ${doubt.why}; nothing was recorded`,
    );
  const until = confirmBy(deletion) ?? 0;
  if (now() > until) throw invalid(`the token expired at ${formatInstant(until)}`);
}

async function readableModel(
  { projections }: HttpServices,
  clusterId: string,
  reply: FastifyReply,
  query: { readonly minPosition?: number | undefined } = {},
): Promise<LedgerModel> {
  const model = await modelFor(projections, query, reply);
  requireReadable(model, clusterNumber(model, clusterId));
  return model;
}

/** @throws Problem `not-found` */
async function requireDeletion(
  services: HttpServices,
  clusterId: string,
  deletionId: string,
): Promise<Deletion> {
  const deletions = await readDeletions(services, clusterId);
  const deletion = deletions.find((candidate) => candidate.deletionId === deletionId);
  if (deletion === undefined)
    throw new Problem('not-found', `cluster ${clusterId} has no deletion ${deletionId}`);
  return deletion;
}

/** Records facts of a deletion. A step is recorded once, even if several callers ask for it at the same time. @throws Problem */
async function record(
  recorder: Recorder,
  caller: Caller,
  facts: readonly (Fact & { readonly deletionId?: string | undefined })[],
): Promise<void> {
  const [{ deletionId = '' } = {}] = facts;
  const submissions = facts.map((fact): Submission => {
    const id = `${deletionId}-${fact.type}`;
    const origin = { source: SOURCE, id, actor: caller.actor };
    return { fact, origin, isTimedByLedger: true, event: factToCloudEvent(fact, origin) };
  });
  for (const recorded of await recorder.record(submissions, caller)) {
    if (recorded instanceof Problem) throw recorded;
    const isConfirmation = submissions[0]?.fact.type === 'ClusterDeletionConfirmed';
    if (isConfirmation && recorded.outcome === 'duplicate')
      throw new Problem(
        'deletion-token-invalid',
        'the token was used before; nothing was recorded; follow the deletion',
      );
  }
}

function previewOf(
  model: LedgerModel,
  view: ReturnType<typeof viewCluster>,
  { now, deletionMode }: HttpServices,
): DeletionRequestOut['preview'] {
  const period = periodOf(now());
  const { from } = periodWindow(period);
  const intervals = model.intervals(clusterNumber(model, view.clusterId), model.position);
  const { clusterSeconds } = usageOf([intervals], { from, to: Math.max(from, now()) }).usage;
  const when = deletionMode === 'ledger-only' ? 'with the confirmation' : 'once the cluster is deleted';
  const { name, accountId } = view.attributes;
  return {
    name: name ?? view.clusterId,
    account: accountId ?? null,
    billedSince: view.billedSince === undefined ? null : instantOut(view.billedSince),
    thisPeriod: { period, clusterSeconds },
    effectOfDeleting:
      view.billedSince === undefined
        ? `The cluster is not billed now. The ${clusterSeconds} cluster seconds of ${period} stay on the bill.`
        : `Billing ends ${when}. The time until then stays on the bill: ${clusterSeconds} cluster seconds of ${period} so far.`,
  };
}

function alreadyDeleted(clusterId: string, deletedAt: number): Problem {
  return new Problem('cluster-deleted', `cluster ${clusterId} was deleted at ${formatInstant(deletedAt)}`);
}

function reasonOf(body: z.output<typeof Reason> | null | undefined): { reason?: string } {
  return body?.reason === undefined ? {} : { reason: body.reason };
}
