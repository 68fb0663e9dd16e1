import { z } from 'zod';
import { PendingAdjustmentsOut } from '../../api/statements.ts';
import { type PendingAdjustments, pendingAdjustments } from '../../projections/queries/period-statements.ts';
import { readFacts } from '../../projections/queries/read-facts.ts';
import { yieldingToEventLoop } from '../../util/event-loop-yielder.ts';
import { answer, problemResponses } from '../contract.ts';
import { factRef } from '../fact-view.ts';
import { Paging, Reading } from '../params/fields.ts';
import { openPage } from '../params/paging.ts';
import { modelForPage } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';

const schema = {
  operationId: 'listPendingAdjustments',
  tags: ['Billing'],
  summary: 'List the adjustments that the next closing would make, in order of the accounts',
  description:
    'Facts that were recorded after the last closing can change earlier periods. The next closing puts these changes on its ' +
    'statements. Nothing is listed before the first closing.',
  querystring: z.strictObject({ ...Paging, ...Reading }),
  response: {
    200: answer('The adjustments, and the facts that cause them.', PendingAdjustmentsOut),
    ...problemResponses,
  },
};

/** Adds the route that lists adjustments before the closing that makes them. */
export function pendingAdjustmentRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/adjustments',
    { config: { access: { billing: 'all', auditor: 'all' }, isHeavy: true }, schema },
    async (request, reply) => {
      const { query, turn } = request;
      const page = openPage(request, 'text');
      const { model, position } = await modelForPage(services, page, query, reply);
      const [behind] = (page.after ?? []) as readonly string[];
      const found: PendingAdjustments[] = [];
      for await (const pending of yieldingToEventLoop(pendingAdjustments(model, position), turn?.signal)) {
        if (behind !== undefined && pending.accountId <= behind) continue;
        found.push(pending);
        if (found.length > query.limit) break;
      }
      const items = found.slice(0, query.limit);
      const positions = items.flatMap(({ adjustments }) =>
        adjustments.flatMap(({ facts }) => facts.map((id) => model.locate(id)?.position ?? -1)),
      );
      const facts = await readFacts(services.store, model, positions, turn?.signal);
      const refOf = (id: string) => factRef(model, facts, model.locate(id)?.position ?? -1);
      const last = found.length > items.length ? [items.at(-1)?.accountId ?? ''] : undefined;
      const since = model.closedPeriods.knownAt(position).at(-1)?.watermark;
      return {
        since: since === undefined ? null : String(since),
        position: String(position),
        items: items.map(({ accountId, adjustments }) => ({
          accountId,
          adjustments: adjustments.map(({ facts: ids, ...adjustment }) => ({
            ...adjustment,
            facts: ids.map(refOf),
          })),
        })),
        ...page.next(last, { position }),
      };
    },
  );
}
