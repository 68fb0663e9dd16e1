import { Readable } from 'node:stream';
import { z } from 'zod';
import type { EventStore, RecordedEvent } from '../../eventstore/event-store.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import type { UsageQuestion } from '../../projections/queries/account-usage.ts';
import { readFacts } from '../../projections/queries/read-facts.ts';
import { positionsToReplay, replay } from '../../projections/queries/replay-account.ts';
import { EventLoopYielder } from '../../util/event-loop-yielder.ts';
import { problemResponses } from '../contract.ts';
import { toCloudEvent } from '../ingest/cloud-event.ts';
import { AccountPath, AsOf, Reading } from '../params/fields.ts';
import { knownAt, modelFor, requireAccount } from '../params/read-model.ts';
import { countedOf, WindowFields } from '../params/window-params.ts';
import type { App, HttpServices } from '../server/app.ts';

const Query = z.strictObject({ ...WindowFields, asOf: AsOf.optional(), ...Reading });

/** Facts that are read from the store at once. */
const BATCH = 256;

/** How long a replay under way may go on when the ledger closes. */
const LAST_MS = 5_000;

/** What an account is billed, fact by fact, as it became known. */
export function replayRoutes(app: App, services: HttpServices): void {
  const underWay = new Set<Readable>();
  app.addHook('preClose', async () => {
    // A reader that has stopped reading would keep the ledger open.
    setTimeout(() => {
      for (const stream of underWay) stream.destroy(new Error('the ledger is closing'));
    }, LAST_MS).unref();
  });

  app.get(
    '/v1/accounts/:accountId/replay',
    {
      schema: {
        operationId: 'replayAccount',
        tags: ['Audit'],
        summary: 'The facts of an account in recorded order, and the usage after each',
        description:
          'A line of JSON for every fact of every cluster that was ever registered to the account: `{ position, fact, usage, ' +
          'delta }`, where usage is that of the window as known once the fact was recorded, and delta what the fact changed.',
        params: AccountPath,
        querystring: Query,
        response: {
          200: {
            description: 'The facts, streamed.',
            content: { 'application/x-ndjson': { schema: z.string() } },
          },
          ...problemResponses,
        },
      },
    },
    async ({ query, params: { accountId } }, reply) => {
      const model = await modelFor(services.projections, query, reply);
      requireAccount(model, accountId);
      const asked = { ...countedOf(query, services.now(), '/query'), asOf: knownAt(model, query.asOf) };
      const stream = Readable.from(linesOf(services.store, model, accountId, asked));
      underWay.add(stream);
      stream.once('close', () => underWay.delete(stream));
      reply.header('cache-control', 'no-store').type('application/x-ndjson');
      // The contract says what the lines are; the stream is sent as it is.
      return reply.send(stream as unknown as string);
    },
  );
}

/** The lines, some at a time: as fast as they are taken, and no further. */
async function* linesOf(
  store: EventStore,
  model: LedgerModel,
  accountId: string,
  { window, through, asOf }: Omit<UsageQuestion, 'byDay'>,
): AsyncGenerator<string> {
  const positions = await positionsToReplay(model, accountId, asOf);
  const read = (from: number) => readFacts(store, model, positions.subarray(from, from + BATCH));
  const slices = new EventLoopYielder();
  let facts: ReadonlyMap<number, RecordedEvent> = new Map();
  let lines = '';
  let played = 0;
  for (const { position, usage, delta } of replay(model, accountId, { window, through }, positions)) {
    if (played % BATCH === 0) facts = await read(played);
    played++;
    const event = facts.get(position);
    if (event === undefined) throw new RangeError(`the store does not have the fact at position ${position}`);
    const fact = toCloudEvent(event, position);
    lines += `${JSON.stringify({ position: String(position), fact, usage, delta })}\n`;
    if (played % BATCH === 0 || slices.isDue) {
      yield lines;
      lines = '';
      await slices.yield();
    }
  }
  if (lines !== '') yield lines;
}
