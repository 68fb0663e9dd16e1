import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, type JSONType, jsonEvent, START, streamNameFilter } from '@eventstore/db-client';
import { EsdbStore } from '../../../src/eventstore/esdb/esdb-store.ts';
import type { NewEvent } from '../../../src/eventstore/event-store.ts';
import { Projections } from '../../../src/projections/projections.ts';
import type { Bench, Row } from '../support/bench.ts';
import { eventStoreDbUrl } from '../support/environment.ts';
import { appendFacts } from '../support/log.ts';
import { type Contender, interleaved, type Measured, perSecond } from '../support/measure.ts';
import { atLeast, type Result } from '../support/report.ts';
import { silent } from '../support/silent.ts';

const WRITERS = 64;
const BATCH = 500;
const GOAL = 0.9;

/**
 * Row 12: EventStoreDB through the port of the ledger against its bare client on the same server, which acknowledges durable
 * writes. The bare client names the expected revision too, as the ledger does; it neither checks nor follows.
 */
export const eventStoreDb: Row = {
  number: 12,
  async run(bench) {
    if (eventStoreDbUrl === undefined) {
      bench.say('row 12 needs a server: set EVENTSTOREDB_URL');
      return [];
    }
    const namespace = `bench-${randomUUID()}`;
    const store = new EsdbStore(eventStoreDbUrl, { namespace, now: Date.now, log: silent });
    const client = EventStoreDBClient.connectionString(eventStoreDbUrl);
    const results = [
      compared(
        '12',
        `EventStoreDB, append, ${WRITERS} writers, one event each`,
        await interleaved(
          [
            appending(bench, 'ours', WRITERS, 1, (stream, events, revision) =>
              store.append(stream, events, revision === 0 ? 'absent' : revision - 1),
            ),
            appending(bench, 'raw client', WRITERS, 1, rawAppend(client)),
          ],
          bench.rounds,
          bench,
        ),
      ),
      compared(
        '12a',
        `EventStoreDB, append, batches of ${BATCH} to one stream`,
        await interleaved(
          [
            appending(bench, 'ours', 1, BATCH, (stream, events, revision) =>
              store.append(stream, events, revision === 0 ? 'absent' : revision - 1),
            ),
            appending(bench, 'raw client', 1, BATCH, rawAppend(client)),
          ],
          bench.rounds,
          bench,
        ),
      ),
      await catchUp(bench, client),
    ];
    await store.close();
    await client.dispose();
    return results;
  },
};

function compared(row: string, work: string, [ours, raw]: readonly Measured[]): Result {
  if (ours === undefined || raw === undefined) throw new Error('nothing was measured');
  return {
    row,
    work,
    unit: 'events/s',
    ours,
    floor: undefined,
    peers: [raw],
    verdicts: [atLeast(ours, raw, GOAL)],
    notes: [],
  };
}

type Append = (stream: string, events: readonly NewEvent[], revision: number) => Promise<unknown>;

function appending(bench: Bench, name: string, writers: number, batch: number, append: Append): Contender {
  const measure = () =>
    perSecond(bench.options.seconds, async (isOver) => {
      let done = 0;
      const write = async () => {
        const stream = `w-${randomUUID()}`;
        for (let revision = 0; !isOver(); revision += batch) {
          const events = Array.from({ length: batch }, (_, i) => eventOf(revision + i));
          await append(stream, events, revision);
          done += batch;
        }
      };
      await Promise.all(Array.from({ length: writers }, write));
      return done;
    });
  return { name, measure };
}

function eventOf(revision: number): NewEvent {
  return {
    id: randomUUID(),
    type: 'BillingStopped',
    data: {
      cause: 'manual',
      reason: 'maintenance window of the customer',
      effectiveAt: '2026-06-20T12:00:00.000Z',
    },
    metadata: { source: 'https://fleet.example/producer', id: `e-${revision}`, actor: 'loopback' },
    recordedAt: 1_781_956_800_000 + revision,
  };
}

function rawAppend(client: EventStoreDBClient): Append {
  return (stream, events, revision) =>
    client.appendToStream(
      `raw-${stream}`,
      events.map(({ id, type, data, metadata }) =>
        jsonEvent({ id, type, data: data as JSONType, metadata: metadata as JSONType }),
      ),
      { expectedRevision: revision === 0 ? 'no_stream' : BigInt(revision - 1) },
    );
}

/** Both read a log made for this: the ledger into all projections, the bare client into a counter. */
async function catchUp(bench: Bench, client: EventStoreDBClient): Promise<Result> {
  const namespace = `bench-${randomUUID()}`;
  const connection = eventStoreDbUrl as string;
  const options = { namespace, now: Date.now, log: silent };
  const size = { accounts: 1_000, clusters: bench.options.full ? 20_000 : 5_000, factsPerCluster: 5 };
  const facts = size.clusters * size.factsPerCluster;
  bench.say(`writing ${facts} facts to EventStoreDB`);
  const filling = new EsdbStore(connection, options);
  await appendFacts(filling, size, 512);
  await filling.close();
  const rate = (name: string, work: () => Promise<void>): Contender => ({
    name,
    async measure() {
      const start = performance.now();
      await work();
      return { value: facts / ((performance.now() - start) / 1_000) };
    },
  });
  const measured = await interleaved(
    [
      rate('ours', () => intoProjections(connection, options, facts)),
      rate('raw subscribeToAll', () => counted(client, `${namespace}.`, facts)),
    ],
    bench.rounds,
    bench,
  );
  return compared('12b', `EventStoreDB, catch-up of $all, ${facts} facts`, measured);
}

/** Every start has a store of its own: what one has learnt of the log must not help the next. */
async function intoProjections(
  connection: string,
  options: ConstructorParameters<typeof EsdbStore>[1],
  facts: number,
): Promise<void> {
  const store = new EsdbStore(connection, options);
  const projections = new Projections(store, { log: silent });
  projections.start();
  if (!(await projections.waitForPosition(facts, 600_000)))
    throw new Error('the end of the log was not reached');
  await projections.stop();
  await store.close();
}

async function counted(client: EventStoreDBClient, prefix: string, facts: number): Promise<void> {
  const filter = streamNameFilter({ prefixes: [prefix] });
  const subscription = client.subscribeToAll({ fromPosition: START, filter });
  let seen = 0;
  for await (const _ of subscription) if (++seen === facts) break;
  await subscription.unsubscribe();
}
