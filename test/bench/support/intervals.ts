import { SqliteStore } from '../../../src/eventstore/sqlite/sqlite-store.ts';
import { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import { INTERVAL_TABLE } from '../peers/usage.ts';
import type { Bench } from './bench.ts';
import { copyInto } from './copy.ts';
import { logFile } from './log.ts';
import type { Postgres } from './postgres.ts';

/** All that a log says, without a follower. */
export async function modelOf(folder: string): Promise<LedgerModel> {
  const store = await SqliteStore.open(logFile(folder));
  const model = await modelFrom(store);
  await store.close();
  return model;
}

/** The same of a store that is open. */
export async function modelFrom(store: SqliteStore): Promise<LedgerModel> {
  const model = new LedgerModel();
  for await (const events of store.readAll(0)) for (const event of events) model.apply(event);
  return model;
}

/** Gives PostgreSQL the billed intervals of a log. @returns how many there are. */
export async function fillIntervals(bench: Bench, postgres: Postgres, folder: string): Promise<number> {
  bench.say('  copying the intervals to PostgreSQL');
  const rows = Array.from(intervalRows(await modelOf(folder)));
  const client = await postgres.connect();
  await client.query(`DROP TABLE IF EXISTS interval; ${INTERVAL_TABLE}`);
  await copyInto(client, 'interval', ['text', 'integer', 'bigint', 'bigint'], rows);
  await client.end();
  return rows.length;
}

function* intervalRows(model: LedgerModel): Generator<unknown[]> {
  for (const cluster of model.clusters.texts.keys())
    for (const { accountId, from, to } of model.intervals(cluster, model.position))
      yield [accountId, cluster, from, to];
}
