import { z } from 'zod';
import { DifferenceOut } from '../../api/diff.ts';
import { AmountSum } from '../../domain/billing/quantity.ts';
import { clippedWindow } from '../../domain/billing/usage-meter.ts';
import type { EventStore } from '../../eventstore/event-store.ts';
import type { BillingChange } from '../../projections/model/cluster-facts.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { accountUsageWithPauses } from '../../projections/queries/account-usage.ts';
import { differencesOf, type Span } from '../../projections/queries/differences.ts';
import { readFacts } from '../../projections/queries/read-facts.ts';
import { runYielding, yieldingToEventLoop } from '../../util/event-loop-yielder.ts';
import type { Position } from '../../util/log-numbers.ts';
import { answer, problems } from '../contract.ts';
import { factRef } from '../fact-view.ts';
import { AccountPath, AsOf, asOfOut, Reading } from '../params/fields.ts';
import { knownAt, modelFor, requireAccount } from '../params/read-model.ts';
import { countedOf, WindowFields, windowHead } from '../params/window-params.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest } from '../server/problem.ts';
import { objectWithArray, sendPieces } from '../server/streamed-answer.ts';

const Query = z.strictObject({
  ...WindowFields,
  before: AsOf,
  after: AsOf.optional().describe('By default the current position.'),
  ...Reading,
});

/** Number of changes whose facts are read from the store together. */
const BATCH = 256;

const diffAccountSchema = {
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
};

/** Adds the route that explains the difference between the usage at two positions. */
export function diffRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/accounts/:accountId/diff',
    {
      config: { access: { auditor: 'all', customer: 'own' }, isHeavy: true },
      schema: diffAccountSchema,
    },
    async (request, reply) => {
      const { query, turn } = request;
      const { accountId } = request.params;
      const model = await modelFor(services.projections, query, reply);
      requireAccount(model, accountId);
      const span = spanOf(model, query);
      const counted = countedOf(query, services.now(), '/query');
      const usageAt = (asOf: Position) =>
        runYielding(
          accountUsageWithPauses(model, accountId, { ...counted, asOf, byDay: false }),
          turn?.signal,
        );
      const [before, after] = [await usageAt(span.before), await usageAt(span.after)];
      const differences = differencesOf(
        model,
        accountId,
        span,
        clippedWindow(counted.window, counted.through),
      );
      const changes: BillingChange[] = [];
      for await (const change of yieldingToEventLoop(differences, turn?.signal)) changes.push(change);
      changes.sort((a, b) => a.causePosition - b.causePosition);
      const head = {
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
      };
      const facts = factsOf(services.store, model, changes, turn?.signal);
      reply.type('application/json; charset=utf-8');
      return sendPieces(request, reply, objectWithArray(head, 'facts', facts));
    },
  );
}

/** Yields the JSON of the facts that made the difference, with commas between them. */
async function* factsOf(
  store: EventStore,
  model: LedgerModel,
  changes: readonly BillingChange[],
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  for (let from = 0; from < changes.length; from += BATCH) {
    const batch = changes.slice(from, from + BATCH);
    const positions = batch.flatMap(({ causePosition, position }) => [causePosition, position]);
    const facts = await readFacts(store, model, positions, signal);
    const ref = (position: Position) => factRef(model, facts, position);
    const items = batch.map(({ position, causePosition }) =>
      position === causePosition
        ? { ...ref(position), effect: 'counted' as const }
        : { ...ref(position), effect: 'voided' as const, voidedBy: ref(causePosition) },
    );
    yield (from === 0 ? '' : ',') + items.map((item) => JSON.stringify(item)).join(',');
  }
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
