import { z } from 'zod';
import { DifferenceOut } from '../../api/diff.ts';
import { AmountSum } from '../../domain/billing/quantity.ts';
import { clippedWindow } from '../../domain/billing/usage.ts';
import type { BillingChange } from '../../projections/model/cluster-facts.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { accountUsage } from '../../projections/queries/account-usage.ts';
import { differencesOf, type Span } from '../../projections/queries/differences.ts';
import { readFacts } from '../../projections/queries/read-facts.ts';
import { yieldingToEventLoop } from '../../util/event-loop-yielder.ts';
import type { Position } from '../../util/log-numbers.ts';
import { answer, problems } from '../contract.ts';
import { factRef } from '../fact-view.ts';
import { AccountPath, AsOf, asOfOut, Reading } from '../params/fields.ts';
import { knownAt, modelFor, requireAccount } from '../params/read-model.ts';
import { countedOf, WindowFields, windowHead } from '../params/window-params.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest } from '../server/problem.ts';

const Query = z.strictObject({
  ...WindowFields,
  before: AsOf,
  after: AsOf.optional().describe('By default the current position.'),
  ...Reading,
});

/** Adds the route that explains the difference between the usage at two positions. */
export function diffRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/accounts/:accountId/diff',
    {
      config: { access: { auditor: 'all', customer: 'own' } },
      schema: {
        operationId: 'diffAccount',
        tags: ['Audit'],
        summary:
          'Compare the usage of a window as known at two positions, and list the facts that made the difference',
        description:
          'These facts alone make the difference, and without them there is none. Other facts recorded in between have no effect ' +
          'on the usage.',
        params: AccountPath,
        querystring: Query,
        response: {
          200: answer('Both figures, their difference, and its facts.', DifferenceOut),
          ...problems('not-found'),
        },
      },
    },
    async ({ query, params: { accountId } }, reply) => {
      const model = await modelFor(services.projections, query, reply);
      requireAccount(model, accountId);
      const span = spanOf(model, query);
      const counted = countedOf(query, services.now(), '/query');
      const usageAt = (asOf: Position) => accountUsage(model, accountId, { ...counted, asOf, byDay: false });
      const [before, after] = [usageAt(span.before), usageAt(span.after)];
      const differences = differencesOf(
        model,
        accountId,
        span,
        clippedWindow(counted.window, counted.through),
      );
      const changes: BillingChange[] = [];
      for await (const change of yieldingToEventLoop(differences)) changes.push(change);
      changes.sort((a, b) => a.causePosition - b.causePosition);
      const facts = await readFacts(
        services.store,
        model,
        changes.flatMap(({ causePosition, position }) => [causePosition, position]),
      );
      const ref = (position: Position) => factRef(model, facts, position);
      return {
        accountId,
        ...windowHead(model, query, counted),
        before: {
          asOf: asOfOut(query.before),
          position: String(span.before),
          usage: before.usage,
          byType: before.byType,
        },
        after: {
          asOf: asOfOut(query.after),
          position: String(span.after),
          usage: after.usage,
          byType: after.byType,
        },
        delta: new AmountSum().add(after.usage).subtract(before.usage).total,
        facts: changes.map(({ position, causePosition }) =>
          position === causePosition
            ? { ...ref(position), effect: 'counted' as const }
            : { ...ref(position), effect: 'voided' as const, voidedBy: ref(causePosition) },
        ),
      };
    },
  );
}

/** @throws Problem `invalid-request` if `before` is later than `after` */
function spanOf(model: LedgerModel, { before, after }: { before: AsOf; after?: AsOf | undefined }): Span {
  const span = {
    before: knownAt(model, before, { pointer: '/query/before' }),
    after: knownAt(model, after, { pointer: '/query/after' }),
  };
  if (span.before <= span.after) return span;
  const detail = `must not be later than after: position ${span.before} is later than ${span.after}`;
  throw invalidRequest([{ pointer: '/query/before', detail }]);
}
