import { z } from 'zod';
import { ListedDeletionOut } from '../../api/deletions.ts';
import { Next } from '../../api/values.ts';
import { type DeletionFact, deletionsOf } from '../../domain/cluster-deletion.ts';
import type { FactType } from '../../domain/facts/fact.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import type { Position } from '../../util/log-numbers.ts';
import { onlyAccountOf, ownerNow } from '../access/require-own.ts';
import { answer, problemResponses } from '../contract.ts';
import { deletionOut, readDeletionFacts } from '../deletion-view.ts';
import { Paging, Reading } from '../params/fields.ts';
import { openPage } from '../params/paging.ts';
import { modelForPage } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';

/** The facts that a deletion can begin with. */
const BEGINNINGS: ReadonlySet<FactType> = new Set(['ClusterDeletionRequested', 'ClusterDeletionConfirmed']);

const listAllDeletionsSchema = {
  operationId: 'listAllDeletions',
  tags: ['Deletions'],
  summary: 'List the deletions of all clusters, latest first',
  description: 'Deletions that the application posted without an id of a deletion are not in the list.',
  querystring: z.strictObject({ ...Paging, ...Reading }),
  response: {
    200: answer('A page of the deletions.', z.strictObject({ items: z.array(ListedDeletionOut), ...Next })),
    ...problemResponses,
  },
};

/** Adds the route that lists the deletions of all clusters. */
export function deletionListRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/deletions',
    {
      config: { access: { auditor: 'all', customer: 'filtered' } },
      schema: listAllDeletionsSchema,
    },
    async (request, reply) => {
      const { query, caller } = request;
      const page = openPage(request, 'number');
      const { model, position } = await modelForPage(services, page, query, reply);
      const only = onlyAccountOf(caller);
      const from = page.after === undefined ? position : Number(page.after[0]) - 1;
      const items: ListedDeletionOut[] = [];
      let last: Position | undefined;
      for (const at of beginnings(model, from, only, services.now())) {
        if (items.length === query.limit)
          return { items, ...page.next(last === undefined ? undefined : [last], { position }) };
        const deletion = await deletionAt(services, model, at);
        if (deletion !== undefined) items.push(deletion);
        last = at;
      }
      return { items };
    },
  );
}

/** Yields the positions of facts that a deletion may begin with, newest first, of clusters that belong to an account if one is given. */
function* beginnings(
  model: LedgerModel,
  from: Position,
  only: string | undefined,
  now: number,
): Generator<Position> {
  const { facts } = model;
  for (let position = from; position > 0; position--) {
    const cluster = facts.clusterAt(position);
    if (cluster === -1 || !BEGINNINGS.has(facts.typeAt(position))) continue;
    if (model.unreadable(cluster) !== undefined) continue;
    if (only === undefined || ownerNow(model, cluster, now) === only) yield position;
  }
}

/** Returns the deletion that the fact at a position began; `undefined` if the deletion was known before. */
async function deletionAt(
  services: HttpServices,
  model: LedgerModel,
  position: Position,
): Promise<ListedDeletionOut | undefined> {
  const clusterId = model.clusters.text(model.facts.clusterAt(position));
  const facts = await readDeletionFacts(services, clusterId);
  const idOf = ({ fact }: DeletionFact) => ('deletionId' in fact ? fact.deletionId : undefined);
  const revision = model.facts.revisionAt(position);
  const deletionId = facts[revision] && idOf(facts[revision]);
  // Of the several facts of a deletion, the first stands for it in the list.
  if (deletionId === undefined || facts.findIndex((fact) => idOf(fact) === deletionId) !== revision)
    return undefined;
  const deletion = deletionsOf(facts).find((other) => other.deletionId === deletionId);
  if (deletion === undefined) return undefined;
  const { name, accountId } = model.attributes(model.facts.clusterAt(position), services.now());
  return { ...deletionOut(services, clusterId, deletion), name: name ?? null, accountId: accountId ?? null };
}
