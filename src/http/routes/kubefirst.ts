import type { FastifyReply, FastifySchema } from 'fastify';
import { z } from 'zod';
import { KubefirstStatusOut, KubefirstUsageOut } from '../../api/kubefirst.ts';
import { clippedWindow } from '../../domain/billing/usage.ts';
import { AccountId } from '../../domain/facts/fact.ts';
import { clusterUsage } from '../../domain/kubefirst/cluster-usage.ts';
import { TrackEvent } from '../../domain/kubefirst/telemetry.ts';
import { periodWindow } from '../../domain/time.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { byCodeUnit } from '../../projections/queries/account-usage.ts';
import { viewCluster } from '../../projections/queries/cluster-view.ts';
import { onlyDescribed, problemResponses } from '../contract.ts';
import {
  MAX_BATCH_BYTES,
  MAX_TRACK_BYTES,
  type ParsedTrack,
  parseBatch,
  parseTrack,
} from '../ingest/segment.ts';
import type { KubefirstServices } from '../kubefirst-services.ts';
import { instantOut, Paging, PeriodText, Reading } from '../params/fields.ts';
import { decodeCursor, pageOf } from '../params/paging.ts';
import { modelFor, requireAccount } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { acceptGzip } from '../server/gzip.ts';
import { invalidRequest } from '../server/problem.ts';
import { requireWriteKey } from '../server/write-key.ts';

const Success = z.strictObject({ success: z.literal(true) });
const Batch = z.object({ batch: z.array(TrackEvent) });

/** What Kubefirst says of its clusters, and what its billing page reads. */
export function kubefirstRoutes(app: App, services: HttpServices): void {
  const { kubefirst } = services;
  const tags = ['Kubefirst'];
  telemetryRoutes(app, services, '', {
    track: {
      operationId: 'trackKubefirst',
      tags,
      summary: "Take one event of Kubefirst's telemetry, as Segment's track resource does",
      description:
        'Events that say nothing of the bill are acknowledged and ignored, as are all other properties.',
    },
    batch: {
      operationId: 'trackKubefirstBatch',
      tags,
      summary: "Take several events of Kubefirst's telemetry, as Segment's batch resource does",
      description: 'What is well-formed is taken also where another event is not: then the answer is 400.',
    },
  });
  // Segment's libraries add these paths to the address that they are given.
  telemetryRoutes(app, services, '/v1', {
    track: { operationId: 'trackKubefirstByLibrary', tags, summary: 'The same, where libraries look for it' },
    batch: {
      operationId: 'trackKubefirstBatchByLibrary',
      tags,
      summary: 'The same, where libraries look for it',
    },
  });

  app.get(
    '/v1/sources/kubefirst',
    {
      schema: {
        operationId: 'getKubefirst',
        tags,
        summary: 'How Kubefirst is listened to, and when each of its clusters was last heard of',
        querystring: z.strictObject({ ...Paging }),
        response: { 200: KubefirstStatusOut, ...problemResponses },
      },
    },
    async ({ query }) => statusOf(kubefirst, query),
  );

  app.get(
    '/v1/sources/kubefirst/cluster-usage',
    {
      schema: {
        operationId: 'getKubefirstClusterUsage',
        tags,
        summary:
          'The billed hours of each cluster of an account in a month, as the billing page of Kubefirst Pro reads them',
        querystring: z.strictObject({ accountId: AccountId, period: PeriodText, ...Reading }),
        response: { 200: z.array(KubefirstUsageOut), ...problemResponses },
      },
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

/** @param described what the contract says of the two resources. */
function telemetryRoutes(
  app: App,
  services: HttpServices,
  path: string,
  described: Readonly<Record<'track' | 'batch', FastifySchema>>,
): void {
  const onRequest = requireWriteKey(services.kubefirst.writeKey);
  const response = { 200: Success, ...problemResponses };
  const resource = (bodyLimit: number) => ({ bodyLimit, onRequest, preParsing: acceptGzip(bodyLimit) });
  app.post(
    `/v1/sources/kubefirst${path}/track`,
    {
      ...resource(MAX_TRACK_BYTES),
      schema: { ...described.track, body: onlyDescribed(TrackEvent), response },
    },
    async ({ body }, reply) => take(services, parseTrack(body, ''), reply),
  );
  app.post(
    `/v1/sources/kubefirst${path}/batch`,
    { ...resource(MAX_BATCH_BYTES), schema: { ...described.batch, body: onlyDescribed(Batch), response } },
    async ({ body }, reply) => take(services, parseBatch(body), reply),
  );
}

/** Takes in what is well-formed, and then says what is not: what was taken is a duplicate where all is sent again. */
async function take(services: HttpServices, { events, errors }: ParsedTrack, reply: FastifyReply) {
  await modelFor(services.projections, {}, reply);
  await services.kubefirst.intake.track(events, 'kubefirst-telemetry');
  if (errors.length > 0) throw invalidRequest(errors);
  return { success: true } as const;
}

function statusOf(
  { intake, writeKey, records }: KubefirstServices,
  { limit, cursor }: z.output<z.ZodObject<typeof Paging>>,
) {
  const [after] = decodeCursor(cursor, 'text') ?? [];
  const seen = [...intake.lastSeen].sort(([a], [b]) => byCodeUnit(a, b));
  const { items, next } = pageOf(
    seen,
    limit,
    ([clusterId]) => after === undefined || clusterId > String(after),
    ([clusterId]) => [clusterId],
  );
  const status = records?.();
  return {
    telemetry: { writeKeyRequired: writeKey !== undefined, events: Object.fromEntries(intake.counts) },
    records: status === undefined ? null : { ...status, since: instantOut(status.since) },
    lastSeen: items.map(([clusterId, at]) => ({ clusterId, at: instantOut(at) })),
    ...(next !== undefined && { next }),
  };
}

function clustersOf(model: LedgerModel, accountId: string, now: number) {
  return model
    .clustersOf(model.accounts.find(accountId) ?? -1)
    .map((cluster) => ({ cluster, view: viewCluster(model, cluster, now) }))
    .filter(({ view }) => view.accountId === accountId)
    .map(({ cluster, view }) => ({
      clusterId: view.clusterId,
      name: view.details?.name ?? view.clusterId,
      clusterType: view.details?.clusterType,
      registeredAt: view.registeredAt ?? 0,
      deletedAt: view.deletedAt,
      intervals: model.billing(cluster, model.position).intervals,
    }))
    .sort((a, b) => byCodeUnit(a.name, b.name) || byCodeUnit(a.clusterId, b.clusterId));
}
