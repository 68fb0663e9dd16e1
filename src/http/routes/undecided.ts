import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { DecisionsOut, UNDECIDED_KINDS, UndecidedListOut, type UndecidedOut } from '../../api/undecided.ts';
import { API_SOURCE, factToCloudEvent } from '../../domain/facts/cloud-event.ts';
import { ClusterId, line } from '../../domain/facts/fact.ts';
import type { Instant } from '../../domain/time.ts';
import type { Outcome, Submission } from '../../ledger/submission.ts';
import { alertState } from '../../projections/alerts/raised-alert.ts';
import { type UndecidedCluster, undecidedClusters } from '../../projections/queries/undecided-clusters.ts';
import { VISIBLE_TIMEOUT_MS } from '../../projections/wait-limits.ts';
import { answer, problemResponses } from '../contract.ts';
import { InstantText, instantOut, Paging, Reading } from '../params/fields.ts';
import { openPage, pageOf } from '../params/paging.ts';
import { modelFor } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest } from '../server/problem.ts';

/** Maximum number of clusters that one request decides about. */
const MAX_CLUSTERS = 1_000;

const tags = ['Validator'];

const listSchema = {
  operationId: 'listUndecided',
  tags,
  summary: 'List the billed clusters that only a person can decide about, with the evidence',
  description:
    'They were never seen alive, cannot be asked, are no longer listed by their platform, or lack a confirmation of the inventory.',
  querystring: z.strictObject({ ...Paging, ...Reading }),
  response: { 200: answer('A page of the clusters.', UndecidedListOut), ...problemResponses },
};

const Decision = z.strictObject({
  decision: z
    .enum(['stop', 'leave'])
    .describe(
      'stop: billing ends with cause manual. leave: the alerts are acknowledged, and the bill goes on.',
    ),
  clusterIds: z.array(ClusterId).min(1).max(MAX_CLUSTERS),
  effectiveAt: z
    .union([z.literal('registration'), InstantText])
    .optional()
    .describe('For stop: from when the clusters are not billed, or `registration` for never.'),
  reason: line(1_000).describe('Recorded with each fact and each acknowledgement.'),
});

const decideSchema = {
  operationId: 'decideUndecided',
  tags,
  summary: 'Stop the billing of many clusters at once, or leave them billed',
  description:
    'Each decision is recorded with its actor. A stop is a fact like any other, and can be voided.',
  body: Decision,
  response: { 200: answer('The outcome for each cluster.', DecisionsOut), ...problemResponses },
};

/** Adds the routes by which a person decides about clusters that the validator cannot decide about. */
export function undecidedRoutes(app: App, services: HttpServices): void {
  const { projections, now } = services;

  app.get(
    '/v1/undecided',
    { config: { access: { auditor: 'all' } }, schema: listSchema },
    async (request, reply) => {
      const model = await modelFor(projections, request.query, reply);
      const page = openPage(request, 'text');
      const [after] = page.after ?? [];
      const { items, last } = pageOf(
        undecidedClusters(model, UNDECIDED_KINDS, services.recordingTime()),
        request.query.limit,
        ({ clusterId }) => after === undefined || clusterId > String(after),
        ({ clusterId }) => [clusterId],
      );
      return {
        items: items.map(undecidedOut),
        ...page.next(last, { position: model.position, now: now() }),
      };
    },
  );

  app.post(
    '/v1/undecided/decisions',
    { config: { access: {} }, schema: decideSchema },
    async ({ body, caller }, reply) => {
      const { decision, clusterIds, effectiveAt, reason } = body;
      if (decision === 'stop' && effectiveAt === undefined)
        throw invalidRequest([{ pointer: '/effectiveAt', detail: 'is required to stop billing' }]);
      const model = await modelFor(projections, {}, reply);
      const known = new Map(
        undecidedClusters(model, UNDECIDED_KINDS, services.recordingTime()).map((found) => [
          found.clusterId,
          found,
        ]),
      );
      const items: z.output<typeof DecisionsOut>['items'] = [];
      const found: UndecidedCluster[] = [];
      for (const clusterId of new Set(clusterIds)) {
        const cluster = known.get(clusterId);
        if (cluster === undefined)
          items.push({ clusterId, outcome: 'refused', why: 'is not in the list of undecided clusters' });
        else found.push(cluster);
      }
      if (decision === 'leave') items.push(...(await leave(services, found, caller.actor, reason)));
      else items.push(...(await stop(services, found, { effectiveAt, reason, actor: caller.actor })));
      reply.header('ledger-position', String(projections.model.position));
      return { items };
    },
  );
}

async function leave(
  { decisions, projections }: HttpServices,
  clusters: readonly UndecidedCluster[],
  actor: string,
  reason: string,
) {
  let eventId: string | undefined;
  for (const { alerts } of clusters)
    for (const alert of alerts)
      if (alertState(alert) === 'open')
        eventId = await decisions.acknowledge(alert.id, actor, { note: reason });
  if (eventId !== undefined) await projections.waitForEvent(eventId, VISIBLE_TIMEOUT_MS);
  return clusters.map(({ clusterId }) => ({ clusterId, outcome: 'left' as const }));
}

async function stop(
  { ledger, projections }: HttpServices,
  clusters: readonly UndecidedCluster[],
  {
    effectiveAt,
    reason,
    actor,
  }: {
    readonly effectiveAt: Instant | 'registration' | undefined;
    readonly reason: string;
    readonly actor: string;
  },
) {
  const submissions = clusters.map(({ clusterId, registeredAt }): Submission => {
    const id = randomUUID();
    const at =
      effectiveAt === 'registration' || effectiveAt === undefined
        ? registeredAt
        : Math.max(effectiveAt, registeredAt);
    const fact = { type: 'BillingStopped', clusterId, effectiveAt: at, cause: 'manual', reason } as const;
    const origin = { source: API_SOURCE, id, actor };
    return { fact, origin, event: factToCloudEvent(fact, origin) };
  });
  const outcomes = submissions.length === 0 ? [] : await ledger.record(submissions, { mayBackdate: true });
  const last = outcomes.findLast((outcome) => 'eventId' in outcome);
  if (last !== undefined) await projections.waitForEvent(last.eventId, VISIBLE_TIMEOUT_MS);
  return clusters.map(({ clusterId }, i) => ({ clusterId, ...stopOutcome(outcomes[i] as Outcome) }));
}

function stopOutcome(outcome: Outcome) {
  if (outcome.outcome === 'rejected') return { outcome: 'refused' as const, why: outcome.rejection.code };
  if (outcome.outcome === 'halted') return { outcome: 'refused' as const, why: outcome.why };
  return { outcome: 'stopped' as const };
}

function undecidedOut(cluster: UndecidedCluster): UndecidedOut {
  const { clusterId, accountId, name, connection, registeredAt, alerts, last, clusterSeconds } = cluster;
  const { lastAliveAt, lastListedAt } = cluster;
  return {
    clusterId,
    ...(accountId !== undefined && { accountId }),
    name,
    registeredAt: instantOut(registeredAt),
    ...(connection !== undefined && { connection }),
    why: UNDECIDED_KINDS.filter((kind) => alerts.some((alert) => alert.kind === kind)),
    ...(last !== undefined && { code: last.code, since: instantOut(last.at) }),
    ...(last?.detail !== undefined && { detail: last.detail }),
    ...(lastAliveAt !== undefined && { lastAliveAt: instantOut(lastAliveAt) }),
    ...(lastListedAt !== undefined && { lastListedAt: instantOut(lastListedAt) }),
    clusterSeconds,
    isLeft: alerts.every((alert) => alertState(alert) === 'acknowledged'),
  };
}
