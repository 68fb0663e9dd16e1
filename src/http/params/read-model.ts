import type { FastifyReply } from 'fastify';
import type { Instant } from '../../domain/time.ts';
import type { ClusterNumber } from '../../projections/model/interned-numbers.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import type { Projections } from '../../projections/projections.ts';
import { READ_TIMEOUT_MS } from '../../projections/wait-limits.ts';
import type { Position } from '../../util/log-numbers.ts';
import { invalidRequest, Problem } from '../server/problem.ts';
import type { AsOf } from './fields.ts';
import type { Moment, PageRequest } from './paging.ts';

/**
 * Returns the model to answer from, at `minPosition` or later, and sets the header `Ledger-Position`. Waits until the
 * model has read the whole log, because a figure that lacks facts is wrong.
 * @throws Problem `catching-up`, `position-not-reached`
 */
export async function modelFor(
  projections: Projections,
  { minPosition }: { readonly minPosition?: number | undefined },
  reply: FastifyReply,
): Promise<LedgerModel> {
  if (!(await projections.waitUntilCaughtUp(READ_TIMEOUT_MS))) {
    const detail = `the ledger is still reading its log, at position ${projections.model.position}`;
    throw new Problem('catching-up', detail, { retryAfterSeconds: 1 });
  }
  if (minPosition !== undefined && !(await projections.waitForPosition(minPosition, READ_TIMEOUT_MS))) {
    const detail = `position ${minPosition} has not been reached; the ledger is at ${projections.model.position}`;
    throw new Problem('position-not-reached', detail, { retryAfterSeconds: 1 });
  }
  reply.header('ledger-position', String(projections.model.position));
  return projections.model;
}

/**
 * Returns the model to answer a page from, and the moment that the page shows: that of the first page. A list that does not depend on
 * the time takes its position only.
 * @throws Problem `catching-up`, `position-not-reached`
 */
export async function modelForPage(
  { projections, now }: { readonly projections: Projections; readonly now: () => Instant },
  { moment }: PageRequest,
  { minPosition = 0 }: { readonly minPosition?: number | undefined },
  reply: FastifyReply,
): Promise<{ readonly model: LedgerModel; readonly position: Position; readonly moment: Moment }> {
  const least = Math.max(minPosition, moment?.position ?? 0);
  const model = await modelFor(projections, { minPosition: least }, reply);
  const position = moment?.position ?? model.position;
  return { model, position, moment: { position, now: moment?.now ?? now() } };
}

/** Returns the position that an `asOf` means; by default `position`, which is the last one. @throws Problem `invalid-request` if the log is shorter */
export function knownAt(
  model: LedgerModel,
  asOf: AsOf | undefined,
  { pointer = '/query/asOf', position = model.position } = {},
): number {
  if (asOf === undefined) return position;
  if (typeof asOf === 'object') return model.facts.positionAt(asOf.instant);
  if (asOf <= model.position) return asOf;
  throw invalidRequest([
    {
      pointer,
      detail: `must be a position of the log, which ends at ${model.position}; given ${asOf}`,
    },
  ]);
}

/** The number of a cluster. @throws Problem `not-found` */
export function clusterNumber(model: LedgerModel, clusterId: string): number {
  const cluster = model.clusters.find(clusterId);
  if (cluster === undefined) throw new Problem('not-found', `cluster ${clusterId} does not exist`);
  return cluster;
}

/** @throws Problem `not-found` if no cluster was ever registered to the account */
export function requireAccount(model: LedgerModel, accountId: string): void {
  if (model.accounts.find(accountId) === undefined) {
    throw new Problem('not-found', `no cluster ever belonged to account ${accountId}`);
  }
}

/** @throws Problem `cluster-halted` if the facts of the cluster cannot be read, so that it accepts no further facts. */
export function requireReadable(model: LedgerModel, cluster: ClusterNumber): void {
  if (model.unreadable(cluster) !== undefined) throw haltedProblem(model, cluster);
}

/** The problem of a cluster whose facts cannot be read. */
export function haltedProblem(model: LedgerModel, cluster: ClusterNumber): Problem {
  const why = model.unreadable(cluster)?.why ?? 'its facts cannot be read';
  return new Problem('cluster-halted', `cluster ${model.clusters.text(cluster)} accepts no facts: ${why}`);
}
