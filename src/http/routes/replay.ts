import { z } from 'zod';
import { ReplayLine } from '../../api/replay.ts';
import { toCloudEvent } from '../../delivery/feed-event.ts';
import type { Amounts } from '../../domain/billing/quantity.ts';
import type { RecordedEvent } from '../../eventstore/event-store.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import type { UsageQuestion } from '../../projections/queries/account-usage.ts';
import { readFacts } from '../../projections/queries/read-facts.ts';
import { positionsToReplay, replay } from '../../projections/queries/replay-account.ts';
import { EventLoopYielder } from '../../util/event-loop-yielder.ts';
import { isFactOfAccount, onlyAccountOf } from '../access/require-own.ts';
import { jsonLines, problems } from '../contract.ts';
import { REPLAY_EXAMPLE } from '../openapi/first-answers.ts';
import { AccountPath, AsOf, Reading } from '../params/fields.ts';
import { knownAt, modelFor, requireAccount } from '../params/read-model.ts';
import { countedOf, WindowFields } from '../params/window-params.ts';
import type { App, HttpServices } from '../server/app.ts';
import { STREAMED, sendPieces } from '../server/streamed-answer.ts';

const Query = z.strictObject({ ...WindowFields, asOf: AsOf.optional(), ...Reading });

/** Number of facts that are read from the store together. */
const BATCH = 256;

const replayAccountSchema = {
  operationId: 'replayAccount',
  tags: ['Audit'],
  summary: 'Replay the facts of an account in recorded order, with the usage after each',
  description:
    'A line of JSON for every fact of every cluster that was ever registered to the account: `{ position, fact, usage, ' +
    'delta }`, where usage is the usage of the window after the fact was recorded, and delta is the change by the fact.',
  params: AccountPath,
  querystring: Query,
  response: {
    200: {
      description: 'The facts, streamed.',
      content: { 'application/x-ndjson': { schema: jsonLines(ReplayLine), examples: REPLAY_EXAMPLE } },
    },
    ...problems('not-found'),
  },
};

/** Adds the route that replays the facts of an account. */
export function replayRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/accounts/:accountId/replay',
    {
      config: { access: { auditor: 'all', customer: 'own' }, isHeavy: true },
      schema: replayAccountSchema,
    },
    async (request, reply) => {
      const { query, params, caller, turn } = request;
      const { accountId } = params;
      const model = await modelFor(services.projections, query, reply);
      requireAccount(model, accountId);
      const question = { ...countedOf(query, services.now(), '/query'), asOf: knownAt(model, query.asOf) };
      reply.header('cache-control', 'no-store').type('application/x-ndjson');
      const onlyAccount = onlyAccountOf(caller);
      const lines = linesOf(services, model, accountId, question, onlyAccount, turn?.signal);
      return sendPieces(request, reply, lines, STREAMED);
    },
  );
}

/** Returns whether a fact has changed the usage. */
function changesUsage({ billableClusters, clusterSeconds }: Amounts): boolean {
  return billableClusters !== 0 || Number(clusterSeconds) !== 0;
}

/**
 * Yields the lines in batches, as fast as the client reads them.
 * @param onlyAccount the account of the customer that the lines are for. Facts from the time of other owners are left out. If one
 * changed the usage, such as the transfer to another account, its line has no data.
 */
async function* linesOf(
  { store, epochs }: Pick<HttpServices, 'store' | 'epochs'>,
  model: LedgerModel,
  accountId: string,
  { window, through, asOf }: Omit<UsageQuestion, 'byDay'>,
  onlyAccount: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const positions = await positionsToReplay(model, accountId, asOf, signal);
  const read = (from: number) => readFacts(store, model, positions.subarray(from, from + BATCH), signal);
  const yielder = new EventLoopYielder(signal);
  let facts: ReadonlyMap<number, RecordedEvent> = new Map();
  let lines = '';
  let count = 0;
  for (const { position, usage, delta } of replay(model, accountId, { window, through }, positions)) {
    if (count % BATCH === 0) facts = await read(count);
    count++;
    const event = facts.get(position);
    if (event === undefined) throw new RangeError(`the store has no fact at position ${position}`);
    const isOwn = onlyAccount === undefined || isFactOfAccount(model, position, onlyAccount);
    if (isOwn || changesUsage(delta)) {
      const { data, ...attributes } = toCloudEvent(event, position, epochs());
      const fact = isOwn ? { ...attributes, data } : attributes;
      lines += `${JSON.stringify({ position: String(position), fact, usage, delta })}\n`;
    }
    if (count % BATCH === 0 || yielder.isDue) {
      yield lines;
      lines = '';
      await yielder.yield();
    }
  }
  if (lines !== '') yield lines;
}
