import { EVENT_TABLE } from '../peers/ingest.ts';
import type { Bench, Row } from '../support/bench.ts';
import { NO_POSTGRES } from '../support/bench.ts';
import { interleaved } from '../support/measure.ts';
import { load, type Server, startLedger, startPeer } from '../support/processes.ts';
import { atLeast, type Result, within } from '../support/report.ts';

const CONNECTIONS = 64;
/** With fewer PostgreSQL has less to group into one flush, with more it gains nothing. */
const POOL = 32;

const FLOOR = 'Fastify + zod, no store';
const ROW = 'PostgreSQL, a row each';
const COALESCED = 'PostgreSQL, coalesced';
const OURS = 'ours';

/**
 * Row 1: one event per request. Every contender is a server process of its own that gets the same requests from the same
 * generator; those with a store answer after the flush to the same disk. The floor keeps nothing.
 */
export const ingestSingle: Row = {
  number: 1,
  async run(bench) {
    const postgres = await bench.postgres();
    await postgres?.query(`DROP TABLE IF EXISTS event; ${EVENT_TABLE}`);
    const config = postgres?.config;
    const servers: [string, Server][] = [
      [OURS, await startLedger(bench, await bench.newFolder('ingest'))],
      [FLOOR, await startPeer(bench, { kind: 'ingest-floor', postgres: undefined })],
    ];
    if (config !== undefined) {
      servers.push(
        [ROW, await startPeer(bench, { kind: 'ingest-insert', postgres: config, poolSize: POOL })],
        [COALESCED, await startPeer(bench, { kind: 'ingest-coalesced', postgres: config })],
      );
    }
    const measured = await interleaved(
      servers.map(([name, server]) => ({ name, measure: () => measureOne(bench, server) })),
      bench.rounds,
      bench,
    );
    await Promise.all(servers.map(([, server]) => server.stop()));
    const [ours, floor, row, coalesced] = measured;
    if (ours === undefined || floor === undefined) throw new Error('nothing was measured');
    const against = [
      ...(row === undefined ? [] : [atLeast(ours, row, 2.2)]),
      ...(coalesced === undefined ? [] : [atLeast(ours, coalesced, 1.15)]),
    ];
    const p99 = within('p99 of the ledger, ms', ours.latencyMs?.p99 ?? Number.NaN, 10, 'ms');
    const result: Result = {
      row: '1',
      work: `ingest, one event a request, ${CONNECTIONS} connections`,
      unit: 'events/s',
      ours,
      floor,
      peers: [row, coalesced].filter((peer) => peer !== undefined),
      verdicts: [...against, atLeast(ours, floor, 0.65), p99],
      notes: postgres === undefined ? [NO_POSTGRES] : [],
    };
    return [result];
  },
};

let runs = 0;

function measureOne(bench: Bench, server: Server) {
  runs += 1;
  const work = { kind: 'events', tag: `s${runs}`, perRequest: 1 } as const;
  return load(bench, server, { connections: CONNECTIONS, work });
}
