import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { NewEvent } from '../../../src/eventstore/event-store.ts';
import { SqliteStore } from '../../../src/eventstore/sqlite/sqlite-store.ts';
import { eventId } from '../../../src/ledger/event-id.ts';
import { openEmmett } from '../peers/emmett.ts';
import { type Bench, NO_POSTGRES, type Row } from '../support/bench.ts';
import { type Contender, interleaved, perSecond } from '../support/measure.ts';
import type { Postgres } from '../support/postgres.ts';
import { atLeast, rateAgainst } from '../support/report.ts';

const WRITERS = 64;

/**
 * Row 3: 64 writers, each with one append of one event under way, to a stream of its own; id and revision are checked and
 * the append is durable when it is answered. The floor writes the same JSON to a bare file, 64 events to an fdatasync, and
 * checks nothing; PostgreSQL checks by a primary key of stream and revision and a unique id.
 */
export const storeAppend: Row = {
  number: 3,
  async run(bench) {
    const postgres = await bench.postgres();
    const ours = await openOurs(bench);
    const contenders: Contender[] = [ours.contender, rawFile(bench, await bench.newFolder('raw'))];
    const inserting = postgres === undefined ? undefined : await openInserting(bench, postgres);
    const emmett = postgres === undefined ? undefined : await openEmmettOf(bench, postgres);
    if (inserting !== undefined) contenders.push(inserting.contender);
    if (emmett !== undefined) contenders.push(emmett.contender);
    const measured = await interleaved(contenders, bench.rounds, bench);
    for (const opened of [ours, inserting, emmett]) await opened?.close();
    const [own, floor] = measured;
    const insert = measured.find(({ name }) => name === INSERT);
    const emmetts = measured.find(({ name }) => name === EMMETT);
    if (own === undefined || floor === undefined) throw new Error('nothing was measured');
    return [
      {
        row: '3',
        work: `store append, ${WRITERS} writers, one event each`,
        unit: 'events/s',
        ours: own,
        floor,
        peers: [insert, emmetts].filter((peer) => peer !== undefined),
        verdicts: [
          ...(emmetts === undefined ? [] : [atLeast(own, emmetts, 15)]),
          ...(insert === undefined ? [] : [atLeast(own, insert, 4)]),
          rateAgainst(own, floor),
        ],
        notes: [
          ...(postgres === undefined ? [NO_POSTGRES] : []),
          ...(emmetts === undefined
            ? ['emmett-postgresql was not measured: name a folder with it by --emmett (docs/performance.md)']
            : []),
        ],
      },
    ];
  },
};

const INSERT = 'PostgreSQL insert';
const EMMETT = 'emmett-postgresql';

interface Opened {
  readonly contender: Contender;
  close(): Promise<void>;
}

/** Goes on appending with all writers until the time is up; each writer has a stream, which grows from round to round. */
function writing(
  bench: Bench,
  name: string,
  append: (stream: string, event: NewEvent, revision: number) => Promise<unknown>,
): Contender {
  const revisions = new Array<number>(WRITERS).fill(0);
  const measure = () =>
    perSecond(bench.options.seconds, async (isOver) => {
      let done = 0;
      const write = async (writer: number) => {
        const stream = `cluster-w${writer}`;
        while (!isOver()) {
          const revision = revisions[writer] as number;
          await append(stream, eventOf(stream, revision), revision);
          revisions[writer] = revision + 1;
          done++;
        }
      };
      await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
      return done;
    });
  return { name, measure };
}

function eventOf(stream: string, revision: number): NewEvent {
  return {
    id: eventId(stream, revision),
    type: 'BillingStopped',
    data: {
      clusterId: stream.slice(8),
      cause: 'manual',
      reason: 'maintenance window of the customer',
      effectiveAt: '2026-06-20T12:00:00.000Z',
    },
    metadata: { source: 'https://fleet.example/producer', id: `e-${revision}`, actor: 'loopback' },
    recordedAt: 1_781_956_800_000 + revision,
  };
}

async function openOurs(bench: Bench): Promise<Opened> {
  const store = await SqliteStore.open(join(await bench.newFolder('append'), 'ledger.db'));
  const contender = writing(bench, 'ours', (stream, event, revision) =>
    store.append(stream, [event], revision === 0 ? 'absent' : revision - 1),
  );
  return { contender, close: () => store.close() };
}

function rawFile(bench: Bench, folder: string): Contender {
  const measure = () =>
    perSecond(bench.options.seconds, async (isOver) => {
      const file = openSync(join(folder, 'raw.log'), 'w');
      let done = 0;
      while (!isOver()) {
        let group = '';
        for (let writer = 0; writer < WRITERS; writer++) {
          const stream = `cluster-w${writer}`;
          group += `${JSON.stringify({ stream, revision: done, ...eventOf(stream, done) })}\n`;
        }
        writeSync(file, group);
        fdatasyncSync(file);
        done += WRITERS;
      }
      closeSync(file);
      return done;
    });
  return { name: 'raw file + fdatasync', measure };
}

const TABLE = `
DROP TABLE IF EXISTS appended;
CREATE TABLE appended (
  stream text NOT NULL,
  revision integer NOT NULL,
  id uuid NOT NULL UNIQUE,
  type text NOT NULL,
  data text NOT NULL,
  metadata text NOT NULL,
  recorded_at bigint NOT NULL,
  PRIMARY KEY (stream, revision)
)`;

async function openInserting(bench: Bench, postgres: Postgres): Promise<Opened> {
  await postgres.query(TABLE);
  const pool = new pg.Pool({ ...postgres.config, max: 32 });
  const text = 'INSERT INTO appended VALUES ($1, $2, $3, $4, $5, $6, $7)';
  const contender = writing(bench, INSERT, (stream, { id, type, data, metadata, recordedAt }, revision) => {
    const values = [stream, revision, id, type, JSON.stringify(data), JSON.stringify(metadata), recordedAt];
    return pool.query({ name: 'append', text, values });
  });
  return { contender, close: () => pool.end() };
}

async function openEmmettOf(bench: Bench, postgres: Postgres): Promise<Opened | undefined> {
  if (bench.options.emmett === undefined) return undefined;
  const emmett = await openEmmett(bench.options.emmett, postgres.connectionString);
  const contender = writing(bench, EMMETT, (stream, { type, data, metadata }, revision) =>
    emmett.appendToStream(stream, [{ type, data, metadata }], {
      expectedStreamVersion: revision === 0 ? 'STREAM_DOES_NOT_EXIST' : BigInt(revision),
    }),
  );
  return { contender, close: () => emmett.close() };
}
