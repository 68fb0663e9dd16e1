import { EVENT_TABLE } from '../peers/ingest.ts';
import type { Bench, Row } from '../support/bench.ts';
import { NO_POSTGRES } from '../support/bench.ts';
import { interleaved, totalUs } from '../support/measure.ts';
import { load, type Server, startLedger, startPeer } from '../support/processes.ts';
import { atLeast, type Result, rateAgainst, within } from '../support/report.ts';

const CONNECTIONS = 16;
const EVENTS = 100;

/** Numbers of clusters that the events of a batch are about. */
const CASES = [
  { row: '2', clusters: undefined, work: 'of as many clusters' },
  { row: '2a', clusters: 10, work: 'of ten clusters' },
  { row: '2b', clusters: 1, work: 'of one cluster' },
] as const;

/**
 * Row 2: batches of 100 events. As in row 1 all get the same requests, and those with a store answer after the flush; PostgreSQL
 * gets each batch as one INSERT, with a connection for every batch that is under way.
 */
export const ingestBatches: Row = {
  number: 2,
  async run(bench) {
    const postgres = await bench.postgres();
    await postgres?.query(`DROP TABLE IF EXISTS event; ${EVENT_TABLE}`);
    const servers: [string, Server][] = [
      ['ours', await startLedger(bench, await bench.newFolder('batches'))],
      ['Fastify + zod, no store', await startPeer(bench, { kind: 'ingest-floor', postgres: undefined })],
    ];
    if (postgres !== undefined) {
      const order = { kind: 'batch-unnest', postgres: postgres.config, poolSize: CONNECTIONS } as const;
      servers.push(['PostgreSQL, unnest', await startPeer(bench, order)]);
    }
    const results: Result[] = [];
    for (const each of CASES) {
      bench.say(` ${each.work}`);
      const [ours, floor, unnest] = await interleaved(
        servers.map(([name, server]) => ({ name, measure: () => measureOne(bench, server, each.clusters) })),
        bench.rounds,
        bench,
      );
      if (ours === undefined || floor === undefined) throw new Error('nothing was measured');
      results.push({
        row: each.row,
        work: `ingest, batches of ${EVENTS} ${each.work}, ${CONNECTIONS} connections`,
        unit: 'events/s',
        ours,
        floor,
        peers: unnest === undefined ? [] : [unnest],
        verdicts: [
          ...(unnest === undefined ? [] : [atLeast(ours, unnest, 1.5)]),
          rateAgainst(ours, floor),
          ...(ours.cpuUs === undefined
            ? []
            : [within('CPU of the ledger, µs an event', totalUs(ours.cpuUs), 20, 'us')]),
        ],
        notes: postgres === undefined ? [NO_POSTGRES] : [],
      });
    }
    await Promise.all(servers.map(([, server]) => server.stop()));
    return results;
  },
};

let runs = 0;

function measureOne(bench: Bench, server: Server, clusters: number | undefined) {
  runs += 1;
  const work = {
    kind: 'events',
    tag: `b${runs}`,
    perRequest: EVENTS,
    ...(clusters !== undefined && { clusters }),
  } as const;
  return load(bench, server, { connections: CONNECTIONS, work });
}
