import { EVENT_TABLE } from '../peers/ingest.ts';
import type { Bench, Row } from '../support/bench.ts';
import { NO_POSTGRES } from '../support/bench.ts';
import { interleaved } from '../support/measure.ts';
import { load, type Server, startLedger, startPeer } from '../support/processes.ts';
import { atLeast, rateAgainst } from '../support/report.ts';

const CONNECTIONS = 16;
const EVENTS = 100;

/**
 * Row 2: batches of 100 events of as many clusters. As in row 1 all get the same requests, and those with a store answer
 * after the flush; PostgreSQL gets each batch as one INSERT, with a connection for every batch that is under way.
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
    const [ours, floor, unnest] = await interleaved(
      servers.map(([name, server]) => ({ name, measure: () => measureOne(bench, server) })),
      bench.rounds,
      bench.say,
    );
    await Promise.all(servers.map(([, server]) => server.stop()));
    if (ours === undefined || floor === undefined) throw new Error('nothing was measured');
    return [
      {
        row: '2',
        work: `ingest, batches of ${EVENTS}, ${CONNECTIONS} connections`,
        unit: 'events/s',
        ours,
        floor,
        peers: unnest === undefined ? [] : [unnest],
        verdicts:
          unnest === undefined
            ? [rateAgainst(ours, floor)]
            : [atLeast(ours, unnest, 3), rateAgainst(ours, floor)],
        notes: postgres === undefined ? [NO_POSTGRES] : [],
      },
    ];
  },
};

let runs = 0;

function measureOne(bench: Bench, server: Server) {
  runs += 1;
  const work = { kind: 'events', tag: `b${runs}`, perRequest: EVENTS } as const;
  return load(bench, server, { connections: CONNECTIONS, work });
}
