import { type Bench, NO_POSTGRES, type Row } from '../support/bench.ts';
import { fillIntervals } from '../support/intervals.ts';
import { accountName, folderWithLog, logSize, MONTH } from '../support/log.ts';
import { interleaved } from '../support/measure.ts';
import { load, type Server, startLedger, startPeer } from '../support/processes.ts';
import { atLeast } from '../support/report.ts';

const CONNECTIONS = 64;
const POOL = 16;

/**
 * Row 7: the usage of one account and month, the accounts in turn. PostgreSQL has the billed intervals ready, indexed by
 * account, all of them in memory, and the statement prepared; it is spared the peak. The floor answers from nothing.
 */
export const usageOne: Row = {
  number: 7,
  async run(bench) {
    const size = logSize(bench);
    const folder = await folderWithLog(bench, size);
    const paths = Array.from(
      { length: size.accounts },
      (_, i) => `/v1/accounts/${accountName(i)}/usage?period=${MONTH}`,
    );
    const postgres = await bench.postgres();
    if (postgres !== undefined) await fillIntervals(bench, postgres, folder);
    const servers: [string, Server][] = [
      ['ours', await startLedger(bench, folder)],
      ['bare Fastify answer', await startPeer(bench, { kind: 'usage-bare', postgres: undefined })],
    ];
    if (postgres !== undefined) {
      const order = { kind: 'usage-query', postgres: postgres.config, poolSize: POOL } as const;
      servers.push(['PostgreSQL query', await startPeer(bench, order)]);
    }
    const [ours, floor, query] = await interleaved(
      servers.map(([name, server]) => ({ name, measure: () => measureOne(bench, server, paths) })),
      bench.rounds,
      bench,
    );
    await Promise.all(servers.map(([, server]) => server.stop()));
    if (ours === undefined || floor === undefined) throw new Error('nothing was measured');
    return [
      {
        row: '7',
        work: `usage of one account and month, ${CONNECTIONS} connections`,
        unit: 'requests/s',
        ours,
        floor,
        peers: query === undefined ? [] : [query],
        verdicts: [...(query === undefined ? [] : [atLeast(ours, query, 2.5)]), atLeast(ours, floor, 0.6)],
        notes: postgres === undefined ? [NO_POSTGRES] : [],
      },
    ];
  },
};

function measureOne(bench: Bench, server: Server, paths: readonly string[]) {
  return load(bench, server, { connections: CONNECTIONS, work: { kind: 'get', paths } });
}
