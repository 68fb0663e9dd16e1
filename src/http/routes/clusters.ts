import { z } from 'zod';
import { ClusterBillingOut, ClusterOut } from '../../api/clusters.ts';
import { FactEventOut } from '../../api/feed.ts';
import { Next } from '../../api/values.ts';
import { toCloudEvent } from '../../delivery/feed-event.ts';
import type { Caller } from '../../domain/access/caller.ts';
import { formatSeconds } from '../../domain/billing/quantity.ts';
import { clippedWindow } from '../../domain/billing/usage-meter.ts';
import { originOf } from '../../domain/facts/recorded-fact.ts';
import { clusterStream } from '../../domain/stream-table.ts';
import { type Instant, periodOf, periodWindow } from '../../domain/time.ts';
import type { ProbeHistory } from '../../domain/validation/judging/probe-history.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { billedToOwner, type ClusterView, viewCluster } from '../../projections/queries/cluster-view.ts';
import type { Position, Revision } from '../../util/log-numbers.ts';
import { mayReadFact, onlyAccountOf } from '../access/require-own.ts';
import { answer, problemResponses, problems } from '../contract.ts';
import { ClusterListQuery, listClusters } from '../params/cluster-list.ts';
import { AsOf, asOfOut, ClusterPath, instantOut, Paging, Reading } from '../params/fields.ts';
import { type Moment, openPage } from '../params/paging.ts';
import { clusterNumber, knownAt, modelFor, modelForPage } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';

const listSchema = {
  operationId: 'listClusters',
  tags: ['Clusters'],
  summary: 'List all clusters that have facts',
  description: 'Filters can be combined. Deleted clusters are listed too.',
  querystring: ClusterListQuery,
  response: {
    200: answer(
      'A page of the clusters.',
      z.strictObject({
        items: z.array(ClusterOut),
        total: z
          .int()
          .nonnegative()
          .optional()
          .describe('Number of clusters that have the filters, if `total` asks for it.'),
        ...Next,
      }),
    ),
    ...problemResponses,
  },
};

const getSchema = {
  operationId: 'getCluster',
  tags: ['Clusters'],
  summary: 'Get the current state of a cluster',
  description:
    'Status, owner, attributes and what stops its billing, as of now. With the validator, also what the last probe found.',
  params: ClusterPath,
  querystring: z.strictObject({ ...Reading }),
  response: { 200: answer('The cluster.', ClusterOut), ...problems('not-found') },
};

const BillingQuery = z.strictObject({ asOf: AsOf.optional(), ...Reading });
const billingSchema = {
  operationId: 'getClusterBilling',
  tags: ['Billing'],
  summary: 'List the billed intervals of a cluster',
  description: 'Each interval names its account, its type, and the facts that opened and closed it.',
  params: ClusterPath,
  querystring: BillingQuery,
  response: { 200: answer('The billed intervals.', ClusterBillingOut), ...problems('not-found') },
};

const EventsQuery = z.strictObject({ asOf: AsOf.optional(), ...Paging, ...Reading });
const eventsSchema = {
  operationId: 'listClusterEvents',
  tags: ['Audit'],
  summary: 'List the facts of a cluster in the order in which they were recorded',
  description: 'Facts that were voided are listed too: nothing is ever removed.',
  params: ClusterPath,
  querystring: EventsQuery,
  response: {
    200: answer('A page of the facts.', z.strictObject({ items: z.array(FactEventOut), ...Next })),
    ...problems('not-found'),
  },
};

/** Adds the routes that read clusters, their billing and their facts. */
export function clusterRoutes(app: App, services: HttpServices): void {
  const { projections, now } = services;

  app.get(
    '/v1/clusters',
    { config: { access: { auditor: 'all', customer: 'filtered' } }, schema: listSchema },
    async (request, reply) => {
      const { query } = request;
      const page = openPage(request, 'text', 'text');
      const { model, moment } = await modelForPage(services, page, query, reply);
      const onlyAccount = onlyAccountOf(request.caller);
      const { items, total, last } = await listClusters(model, query, page.after, moment, onlyAccount);
      return {
        items: items.map((view) => ({
          ...clusterOut(view),
          ...(query.billedTime === true && { billedThisPeriod: billedThisPeriod(model, view, moment) }),
          ...probeOut(model.validations.historyOf(view.clusterId)),
        })),
        ...(total !== undefined && { total }),
        ...page.next(last, moment),
      };
    },
  );

  app.get(
    '/v1/clusters/:clusterId',
    { config: { access: { producer: 'own', auditor: 'all', customer: 'own' } }, schema: getSchema },
    async ({ params, query }, reply) => {
      const model = await modelFor(projections, query, reply);
      const view = viewCluster(model, clusterNumber(model, params.clusterId), now());
      return { ...clusterOut(view), ...probeOut(model.validations.historyOf(params.clusterId)) };
    },
  );

  app.get(
    '/v1/clusters/:clusterId/billing',
    { config: { access: { auditor: 'all', customer: 'own' } }, schema: billingSchema },
    async ({ params, query, caller }, reply) => {
      const model = await modelFor(projections, query, reply);
      const billing = billingOut(model, params.clusterId, query.asOf, now());
      return toAccount(billing, onlyAccountOf(caller));
    },
  );

  app.get(
    '/v1/clusters/:clusterId/events',
    { config: { access: { producer: 'own', auditor: 'all', customer: 'own' } }, schema: eventsSchema },
    async (request, reply) => {
      const { params, query, caller } = request;
      const page = openPage(request, 'number');
      const { model, position } = await modelForPage(services, page, query, reply);
      const from = Number(page.after?.[0] ?? -1) + 1;
      const asOf = knownAt(model, query.asOf, { position });
      const { items, next } = await eventsOf(services, model, params.clusterId, {
        from,
        limit: query.limit,
        asOf,
        caller,
      });
      return { items, ...page.next(next === undefined ? undefined : [next], { position }) };
    },
  );
}

function billingOut(
  model: LedgerModel,
  clusterId: string,
  asOf: AsOf | undefined,
  now: Instant,
): z.output<typeof ClusterBillingOut> {
  const position = knownAt(model, asOf);
  const cluster = clusterNumber(model, clusterId);
  return {
    clusterId,
    accountId: model.attributes(cluster, now, position).accountId ?? null,
    asOf: asOfOut(asOf),
    position: String(position),
    intervals: model
      .intervals(cluster, position)
      .map(({ from, to, accountId, clusterType, openedBy, closedBy }) => ({
        from: instantOut(from),
        to: to === null ? null : instantOut(to),
        accountId,
        clusterType,
        openedBy: model.facts.ids.at(openedBy),
        closedBy: closedBy === null ? null : model.facts.ids.at(closedBy),
      })),
  };
}

/** Leaves out what belongs to other accounts, if the answer is for the customer of one. */
function toAccount(
  billing: z.output<typeof ClusterBillingOut>,
  onlyAccount: string | undefined,
): z.output<typeof ClusterBillingOut> {
  if (onlyAccount === undefined) return billing;
  const isOwn = ({ accountId }: { readonly accountId: string | null }) => accountId === onlyAccount;
  return {
    ...billing,
    accountId: isOwn(billing) ? onlyAccount : null,
    intervals: billing.intervals.filter(isOwn),
  };
}

async function eventsOf(
  services: HttpServices,
  model: LedgerModel,
  clusterId: string,
  {
    from,
    limit,
    asOf,
    caller,
  }: { readonly from: Revision; readonly limit: number; readonly asOf: Position; readonly caller: Caller },
): Promise<{ readonly items: FactEventOut[]; readonly next?: Revision }> {
  // One more than the page has, to know whether there is a next one.
  const positions = model
    .positionsFrom(clusterNumber(model, clusterId), from, limit + 1)
    .filter((position) => position <= asOf);
  const items: FactEventOut[] = [];
  let read = 0;
  for await (const event of services.store.readStream(clusterStream(clusterId), { from, limit })) {
    const position = positions[event.revision - from];
    if (position === undefined) break;
    read++;
    if (await mayReadFact(services.access, model, caller, { event, position }))
      items.push({ ...toCloudEvent(event, position, services.epochs()), ledgeractor: originOf(event).actor });
  }
  return read < positions.length ? { items, next: from + read - 1 } : { items };
}

function billedThisPeriod(model: LedgerModel, view: ClusterView, { position, now }: Moment) {
  const period = periodOf(now);
  const counted = clippedWindow(periodWindow(period), now);
  const cluster = clusterNumber(model, view.clusterId);
  return {
    period,
    clusterSeconds: formatSeconds(BigInt(billedToOwner(model, cluster, view, counted, position))),
  };
}

function clusterOut({ attributes, unreadable, ...view }: ClusterView): ClusterOut {
  const { name, accountId, billable, ...otherAttributes } = attributes;
  return {
    clusterId: view.clusterId,
    status: view.status,
    accountId: accountId ?? null,
    billable: view.registeredAt === undefined ? null : (billable ?? true),
    name: name ?? null,
    ...otherAttributes,
    registeredAt: orNull(view.registeredAt),
    deletedAt: orNull(view.deletedAt),
    billedSince: orNull(view.billedSince),
    stoppedBy: view.stoppedBy,
    lastPosition: String(view.lastPosition),
    ...(unreadable !== undefined && {
      halted: { position: String(unreadable.position), why: unreadable.why },
    }),
  };
}

function probeOut(history: ProbeHistory | undefined) {
  const { aliveAt, last, announced } = history ?? {};
  const detail = last?.detail === undefined ? {} : { detail: last.detail };
  return {
    ...(aliveAt !== undefined && { lastSeen: instantOut(aliveAt) }),
    ...(last && {
      lastVerdict: { state: last.state, code: last.code, since: instantOut(last.at), ...detail },
    }),
    ...(announced?.gone === true && { verifiedGone: true }),
  };
}

function orNull(instant: number | undefined): string | null {
  return instant === undefined ? null : instantOut(instant);
}
