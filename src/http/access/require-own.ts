import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../../domain/access/caller.ts';
import { ownerAt } from '../../domain/billing/billing.ts';
import { originOf } from '../../domain/facts/recorded-fact.ts';
import { clusterStream } from '../../domain/stream-table.ts';
import type { RecordedEvent } from '../../eventstore/event-store.ts';
import type { ClusterNumber } from '../../projections/model/interned-numbers.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import type { Position } from '../../util/log-numbers.ts';
import { modelFor } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { Problem } from '../server/problem.ts';
import type { AccessControl } from './access-control.ts';
import { scopeOf } from './route-access.ts';

type OwnServices = Pick<HttpServices, 'projections' | 'store' | 'access' | 'now'>;

/** The ids that a path can have, and the query parameter of every read. */
interface Asked {
  readonly accountId?: string;
  readonly clusterId?: string;
  readonly eventId?: string;
}

/**
 * Answers 404 if a caller may use a route for its own accounts, clusters and facts only and the path names another one. The answer
 * is the same whether the other one exists or not.
 */
export function requireOwn(app: App, services: OwnServices): void {
  const rejectOthers = async (request: FastifyRequest, reply: FastifyReply) => {
    const { caller } = request;
    const { accountId, clusterId, eventId } = request.params as Asked;
    if (accountId !== undefined && accountId !== caller.accountId)
      throw new Problem('not-found', `account ${accountId} does not exist`);
    if (accountId !== undefined || (clusterId === undefined && eventId === undefined)) return;
    const model = await modelFor(services.projections, readingOf(request), reply);
    const isOwn =
      clusterId === undefined
        ? await isOwnFact(services, model, caller, eventId as string)
        : await isOwnCluster(services, model, caller, clusterId);
    if (isOwn) return;
    throw new Problem(
      'not-found',
      clusterId === undefined ? `fact ${eventId} does not exist` : `cluster ${clusterId} does not exist`,
    );
  };
  app.addHook('preHandler', (request, reply, done) => {
    const { access } = request.routeConfig;
    if (access === undefined || access === 'public' || scopeOf(access, request.caller.role) !== 'own')
      return done();
    rejectOthers(request, reply).then(() => done(), done);
  });
}

function readingOf({ query }: FastifyRequest): { minPosition?: number } {
  const { minPosition } = query as { minPosition?: number };
  return minPosition === undefined ? {} : { minPosition };
}

/** Returns whether a cluster belongs to a customer now, or has a fact that a producer posted. */
async function isOwnCluster(
  { store, access, now }: OwnServices,
  model: LedgerModel,
  caller: Caller,
  clusterId: string,
): Promise<boolean> {
  const cluster = model.clusters.find(clusterId);
  if (cluster === undefined) return false;
  if (caller.role === 'customer') return ownerNow(model, cluster, now()) === caller.accountId;
  for await (const event of store.readStream(clusterStream(clusterId)))
    if (await access.isSameProducer(caller, originOf(event).actor)) return true;
  return false;
}

async function isOwnFact(
  { store, access }: OwnServices,
  model: LedgerModel,
  caller: Caller,
  eventId: string,
): Promise<boolean> {
  const place = model.locate(eventId);
  if (place?.clusterId === undefined) return false;
  if (caller.role === 'customer') return isFactOfAccount(model, place.position, caller.accountId);
  const options = { from: place.revision, limit: 1 };
  for await (const event of store.readStream(clusterStream(place.clusterId), options))
    return access.isSameProducer(caller, originOf(event).actor);
  return false;
}

/** Returns the account that a cluster belongs to now, or last belonged to. */
export function ownerNow(model: LedgerModel, cluster: ClusterNumber, now: number): string | undefined {
  return ownerAt(model.billing(cluster, model.position), now);
}

/**
 * Returns whether the cluster of a fact belonged to an account when the fact became effective, and the fact names no other account.
 * A transfer to another account that was voided, or that another one at the same instant replaced, still names it.
 */
export function isFactOfAccount(
  model: LedgerModel,
  position: Position,
  accountId: string | undefined,
): boolean {
  if (model.facts.clusterAt(position) === -1) return false;
  const named = model.facts.accountAt(position);
  if (named !== undefined && model.accounts.text(named) !== accountId) return false;
  const billing = model.billing(model.facts.clusterAt(position), model.position);
  return ownerAt(billing, model.facts.effectiveAt(position)) === accountId;
}

/**
 * Returns whether a caller may read a fact of a cluster that it may read: a customer the facts from its own time, a producer the
 * facts that it posted. @throws StoreUnavailable
 */
export async function mayReadFact(
  access: AccessControl,
  model: LedgerModel,
  caller: Caller,
  { event, position }: { readonly event: RecordedEvent; readonly position: Position },
): Promise<boolean> {
  if (caller.role === 'customer') return isFactOfAccount(model, position, caller.accountId);
  if (caller.role === 'producer') return access.isSameProducer(caller, originOf(event).actor);
  return true;
}

/** The account of a customer, whose answers leave out everything of others; `undefined` for other callers. */
export function onlyAccountOf({ role, accountId }: Caller): string | undefined {
  return role === 'customer' ? accountId : undefined;
}
