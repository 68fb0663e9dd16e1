import { z } from 'zod';
import { AccountOut } from '../../api/accounts.ts';
import { Next } from '../../api/values.ts';
import { isBilledAt } from '../../domain/billing/billing.ts';
import type { Instant } from '../../domain/time.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { intervalsOf } from '../../projections/queries/account-usage.ts';
import { compareCodeUnits } from '../../util/compare-code-units.ts';
import { problemResponses } from '../contract.ts';
import { AccountPath, Paging, Reading } from '../params/fields.ts';
import { decodeCursor, pageOf } from '../params/paging.ts';
import { modelFor, requireAccount } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';

/** Adds the routes that read accounts. An account exists if a registration names it. */
export function accountRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/accounts',
    {
      schema: {
        operationId: 'listAccounts',
        tags: ['Clusters'],
        summary: 'List the accounts that clusters were registered to, in order of their ids',
        querystring: z.strictObject({ ...Paging, ...Reading }),
        response: { 200: z.strictObject({ items: z.array(AccountOut), ...Next }), ...problemResponses },
      },
    },
    async ({ query: { limit, cursor, ...query } }, reply) => {
      const model = await modelFor(services.projections, query, reply);
      const [after] = decodeCursor(cursor, 'text') ?? [];
      const ids = model.accounts.texts.toSorted(compareCodeUnits);
      const page = pageOf(
        ids,
        limit,
        (id) => after === undefined || id > after,
        (id) => [id],
      );
      return { ...page, items: page.items.map((accountId) => accountOf(model, accountId, services.now())) };
    },
  );

  app.get(
    '/v1/accounts/:accountId',
    {
      schema: {
        operationId: 'getAccount',
        tags: ['Clusters'],
        summary: 'Get an account',
        params: AccountPath,
        querystring: z.strictObject({ ...Reading }),
        response: { 200: AccountOut, ...problemResponses },
      },
    },
    async ({ params: { accountId }, query }, reply) => {
      const model = await modelFor(services.projections, query, reply);
      requireAccount(model, accountId);
      return accountOf(model, accountId, services.now());
    },
  );
}

function accountOf(model: LedgerModel, accountId: string, now: Instant): z.output<typeof AccountOut> {
  const clusters = intervalsOf(model, model.accounts.find(accountId) as number, model.position);
  const billedNow = clusters.filter((intervals) => isBilledAt(intervals, now)).length;
  return { accountId, clusters: clusters.length, billedNow };
}
