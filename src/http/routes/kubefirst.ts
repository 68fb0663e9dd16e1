import type { FastifyReply, FastifySchema } from 'fastify';
import { z } from 'zod';
import { KubefirstStatusOut, KubefirstUsageOut } from '../../api/kubefirst.ts';
import { clippedWindow } from '../../domain/billing/usage-meter.ts';
import { clusterUsage } from '../../domain/kubefirst/cluster-usage.ts';
import { DOMAIN_LABEL } from '../../domain/kubefirst/registration.ts';
import { TrackEvent } from '../../domain/kubefirst/telemetry.ts';
import { periodWindow } from '../../domain/time.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { viewCluster } from '../../projections/queries/cluster-view.ts';
import { toAccount } from '../../projections/queries/differences.ts';
import { compareCodeUnits } from '../../util/compare-code-units.ts';
import type { RouteAccess } from '../access/route-access.ts';
import { answer, onlyDescribed, problemResponses, problems } from '../contract.ts';
import {
  MAX_BATCH_BYTES,
  MAX_TRACK_BYTES,
  type ParsedTrack,
  parseBatch,
  parseTrack,
} from '../ingest/segment.ts';
import { BEARER, WRITE_KEY } from '../openapi/info.ts';
import { AccountPath, instantOut, Paging, PeriodPath, Reading } from '../params/fields.ts';
import { openPage, type PageRequest, pageOf } from '../params/paging.ts';
import { modelFor, requireAccount } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest } from '../server/problem.ts';
import { requireWriteKey } from '../server/write-key.ts';

const Success = z.strictObject({ success: z.literal(true) });
const Batch = z.object({ batch: z.array(TrackEvent) });

const tags = ['Kubefirst'];

const getKubefirstSchema = {
  operationId: 'getKubefirst',
  tags,
  summary: 'Get the state of the Kubefirst source, and the last heartbeat of each cluster',
  description: 'Counts telemetry by its outcome, and says whether the records can be read.',
  querystring: z.strictObject({ ...Paging }),
  response: { 200: answer('The state of the source.', KubefirstStatusOut), ...problemResponses },
};

const getKubefirstClusterUsageSchema = {
  operationId: 'getKubefirstClusterUsage',
  tags,
  summary:
    'List the billed hours of the clusters of an account in a month, for the billing page of Kubefirst Pro',
  description: 'The fields have the names that Kubefirst uses.',
  querystring: z.strictObject({ ...AccountPath.shape, ...PeriodPath.shape, ...Reading }),
  response: {
    200: answer('The clusters with their billed hours.', z.array(KubefirstUsageOut)),
    ...problems('not-found'),
  },
};

/** Adds the routes of Kubefirst: telemetry, state of the source, and the figures of its billing page. */
export function kubefirstRoutes(app: App, services: HttpServices): void {
  const { kubefirst } = services;
  telemetryRoutes(app, services, '', {
    track: {
      operationId: 'trackKubefirst',
      tags,
      summary: "Post one event of Kubefirst's telemetry, as to Segment's track resource",
      description: 'Events and properties that do not concern billing are acknowledged and ignored.',
    },
    batch: {
      operationId: 'trackKubefirstBatch',
      tags,
      summary: "Post several events of Kubefirst's telemetry, as to Segment's batch resource",
      description: 'Valid events are recorded even if others are invalid. The answer is then 400.',
    },
  });
  // Segment's libraries append these paths to the configured address.
  telemetryRoutes(app, services, '/v1', {
    track: {
      operationId: 'trackKubefirstByLibrary',
      tags,
      summary: 'Post one event, under the path that Segment libraries use',
      description: "Segment's libraries append `/v1/track` to their configured address.",
    },
    batch: {
      operationId: 'trackKubefirstBatchByLibrary',
      tags,
      summary: 'Post several events, under the path that Segment libraries use',
      description: "Segment's libraries append `/v1/batch` to their configured address.",
    },
  });

  app.get(
    '/v1/sources/kubefirst',
    {
      config: { access: { auditor: 'all' } },
      schema: getKubefirstSchema,
    },
    async (request) => statusOf(services, openPage(request, 'text'), request.query.limit),
  );

  app.get(
    '/v1/sources/kubefirst/cluster-usage',
    {
      config: { access: { billing: 'all', auditor: 'all' } },
      schema: getKubefirstClusterUsageSchema,
    },
    async ({ query }, reply) => {
      const model = await modelFor(services.projections, query, reply);
      requireAccount(model, query.accountId);
      const now = services.now();
      const counted = clippedWindow(periodWindow(query.period), now);
      return [...clusterUsage(clustersOf(model, query.accountId, now), counted, kubefirst.pricePerHour)];
    },
  );
}

/** Adds the two telemetry resources under a path. @param described their OpenAPI descriptions */
function telemetryRoutes(
  app: App,
  services: HttpServices,
  path: string,
  described: Readonly<Record<'track' | 'batch', FastifySchema>>,
): void {
  const { writeKey } = services.kubefirst;
  // A write key replaces the key of a producer, since Segment's libraries send no bearer token.
  const access: RouteAccess = writeKey === undefined ? { producer: 'all' } : 'public';
  const onRequest = requireWriteKey(writeKey);
  const security = [{ [WRITE_KEY]: [] }, { [BEARER]: [] }, {}];
  const response = {
    200: answer('The events are processed.', Success),
    ...problems('unauthenticated'),
  };
  const resource = (bodyLimit: number) => ({ bodyLimit, onRequest });
  app.post(
    `/v1/sources/kubefirst${path}/track`,
    {
      config: { access },
      ...resource(MAX_TRACK_BYTES),
      schema: { ...described.track, security, body: onlyDescribed(TrackEvent), response },
    },
    async ({ body }, reply) => ingest(services, parseTrack(body, ''), reply),
  );
  app.post(
    `/v1/sources/kubefirst${path}/batch`,
    {
      config: { access },
      ...resource(MAX_BATCH_BYTES),
      schema: { ...described.batch, security, body: onlyDescribed(Batch), response },
    },
    async ({ body }, reply) => ingest(services, parseBatch(body), reply),
  );
}

/** Records the valid events, then reports the invalid ones. A client may post everything again: recorded events are then duplicates. */
async function ingest(services: HttpServices, { events, errors }: ParsedTrack, reply: FastifyReply) {
  await modelFor(services.projections, {}, reply);
  await services.kubefirst.intake.track(events, 'kubefirst-telemetry');
  if (errors.length > 0) throw invalidRequest(errors);
  return { success: true } as const;
}

function statusOf(
  { kubefirst: { intake, writeKey, records }, projections, now }: HttpServices,
  page: PageRequest,
  limit: number,
) {
  const [after] = page.after ?? [];
  const seen = [...intake.lastSeen].sort(([a], [b]) => compareCodeUnits(a, b));
  const { items, last } = pageOf(
    seen,
    limit,
    ([clusterId]) => after === undefined || clusterId > String(after),
    ([clusterId]) => [clusterId],
  );
  return {
    telemetry: { writeKeyRequired: writeKey !== undefined, events: Object.fromEntries(intake.counts) },
    records: records().map((status) => ({ ...status, since: instantOut(status.since) })),
    lastSeen: items.map(([clusterId, at]) => ({ clusterId, at: instantOut(at) })),
    ...page.next(last, { position: projections.model.position, now: now() }),
  };
}

function clustersOf(model: LedgerModel, accountId: string, now: number) {
  return model
    .clustersOf(model.accounts.find(accountId) ?? -1)
    .map((cluster) => ({ cluster, view: viewCluster(model, cluster, now) }))
    .filter(({ view }) => view.attributes.accountId === accountId)
    .map(({ cluster, view }) => ({
      clusterId: view.clusterId,
      name: view.attributes.name ?? view.clusterId,
      clusterType: view.attributes.clusterType,
      isActive: view.status === 'billed' || view.status === 'free',
      domainName: view.attributes.labels?.[DOMAIN_LABEL],
      environment: view.attributes.labels?.['environment'],
      registeredAt: view.registeredAt ?? 0,
      deletedAt: view.deletedAt,
      intervals: toAccount(model.intervals(cluster, model.position), accountId),
    }))
    .sort((a, b) => compareCodeUnits(a.name, b.name) || compareCodeUnits(a.clusterId, b.clusterId));
}
