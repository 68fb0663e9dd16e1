import type pg from 'pg';
import { SqliteStore } from '../../../src/eventstore/sqlite/sqlite-store.ts';
import { StoredEvent } from '../../../src/eventstore/sqlite/stored-event.ts';
import { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import { Projections } from '../../../src/projections/projections.ts';
import { type Bench, NO_POSTGRES, type Row } from '../support/bench.ts';
import { copyInto } from '../support/copy.ts';
import { folderWithLog, logFile, logSize, rowsOfLog } from '../support/log.ts';
import { type Contender, interleaved } from '../support/measure.ts';
import type { Postgres } from '../support/postgres.ts';
import { atLeast, rateAgainst, type Verdict } from '../support/report.ts';
import { silent } from '../support/silent.ts';

const FACTS_PER_SECOND = 350_000;
const PAGE = 5_000;

/**
 * Row 4: all projections from the log, as the ledger builds them when it has no snapshot: following the store from zero.
 * The floor only parses the data of each fact, which it has in memory. PostgreSQL has the same rows as text and feeds the
 * same fold through a cursor. Opening the store is not part of it: row 5 has it.
 */
export const rebuild: Row = {
  number: 4,
  async run(bench) {
    const size = logSize(bench);
    const facts = size.clusters * size.factsPerCluster;
    const folder = await folderWithLog(bench, size);
    const store = await SqliteStore.open(logFile(folder));
    const rate = (name: string, work: () => Promise<void> | void): Contender => ({
      name,
      async measure() {
        const start = performance.now();
        await work();
        return { value: facts / ((performance.now() - start) / 1_000) };
      },
    });
    const texts = Array.from(rowsOfLog(folder), ({ data }) => data);
    const contenders = [
      rate('ours', () => followFromZero(store, facts)),
      rate('JSON.parse alone', () => {
        for (const text of texts) JSON.parse(text);
      }),
    ];
    const postgres = await bench.postgres();
    const client = postgres === undefined ? undefined : await copyLog(bench, postgres, folder);
    if (client !== undefined)
      contenders.push(rate('PostgreSQL text cursor', () => foldCursor(client, facts)));
    const [ours, floor, cursor] = await interleaved(contenders, 2 * bench.rounds, bench);
    await client?.end();
    await store.close();
    if (ours === undefined || floor === undefined) throw new Error('nothing was measured');
    const absolute: Verdict = {
      against: 'facts/s',
      ratio: ours.median / FACTS_PER_SECOND,
      goal: '>= 350k/s',
      isMet: ours.median >= FACTS_PER_SECOND,
    };
    return [
      {
        row: '4',
        work: `rebuild all projections, ${facts} facts`,
        unit: 'facts/s',
        ours,
        floor,
        peers: cursor === undefined ? [] : [cursor],
        verdicts: [
          ...(cursor === undefined ? [] : [atLeast(ours, cursor, 1.7)]),
          absolute,
          rateAgainst(ours, floor),
        ],
        notes: [
          ...(postgres === undefined ? [NO_POSTGRES] : []),
          'emmett-sqlite was not measured: it needs a native module',
        ],
      },
    ];
  },
};

async function followFromZero(store: SqliteStore, facts: number): Promise<void> {
  const projections = new Projections(store, { log: silent });
  projections.start();
  const isThere = await projections.waitForPosition(facts, 600_000);
  if (!isThere) throw new Error('the projections did not reach the end of the log');
  await projections.stop();
}

async function copyLog(bench: Bench, postgres: Postgres, folder: string): Promise<pg.Client> {
  bench.say('  copying the log to PostgreSQL');
  const client = await postgres.connect();
  await client.query(`
    DROP TABLE IF EXISTS log;
    CREATE TABLE log (
      position integer PRIMARY KEY, stream text NOT NULL, revision integer NOT NULL, id text NOT NULL,
      type text NOT NULL, data text NOT NULL, metadata text NOT NULL, recorded_at float8 NOT NULL
    )`);
  const types = ['integer', 'text', 'integer', 'text', 'text', 'text', 'text', 'float8'];
  await copyInto(client, 'log', types, rowValues(folder));
  return client;
}

function* rowValues(folder: string): Generator<unknown[]> {
  for (const row of rowsOfLog(folder)) {
    const { position, stream, revision, id, type, data, metadata, recorded_at } = row;
    yield [position, stream, revision, id, type, data, metadata, recorded_at];
  }
}

async function foldCursor(client: pg.Client, facts: number): Promise<void> {
  const model = new LedgerModel();
  await client.query('BEGIN');
  await client.query('DECLARE facts CURSOR FOR SELECT * FROM log ORDER BY position');
  for (;;) {
    const { rows } = await client.query({ text: `FETCH ${PAGE} FROM facts`, rowMode: 'array' });
    for (const row of rows)
      model.apply(new StoredEvent(...(row as ConstructorParameters<typeof StoredEvent>)));
    if (rows.length < PAGE) break;
  }
  await client.query('COMMIT');
  if (model.position !== facts) throw new Error('the cursor did not reach the end of the log');
}
