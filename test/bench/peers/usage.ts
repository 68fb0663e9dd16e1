import type { FastifyInstance } from 'fastify';
import type pg from 'pg';
import { MONTH, MONTH_WINDOW } from '../support/log.ts';

/**
 * Usage as one would read it from a table of billed intervals. PostgreSQL is spared the peak, which would need the
 * intervals sorted, and the fold that makes them.
 */
export const INTERVAL_TABLE = `
CREATE TABLE interval (
  account_id text NOT NULL,
  cluster_id integer NOT NULL,
  from_ms    bigint NOT NULL,
  to_ms      bigint,
  PRIMARY KEY (account_id, cluster_id, from_ms)
)`;

const MEASURES = `
  count(DISTINCT cluster_id)::int AS billable,
  sum(least(coalesce(to_ms, $2), $2) - greatest(from_ms, $1))::float8 AS billed_ms,
  count(*) FILTER (WHERE from_ms <= $1)::int AS at_start,
  count(*) FILTER (WHERE to_ms IS NULL OR to_ms >= $2)::int AS at_end`;
const OF_ONE = `SELECT ${MEASURES} FROM interval
  WHERE account_id = $3 AND from_ms < $2 AND (to_ms IS NULL OR to_ms > $1)`;
export const OF_ALL = `SELECT account_id, ${MEASURES} FROM interval
  WHERE from_ms < $2 AND (to_ms IS NULL OR to_ms > $1) GROUP BY account_id ORDER BY account_id`;

const PATH = '/v1/accounts/:accountId/usage';

/** An answer of the same size, from nothing: what Fastify costs. */
export function bareUsage(app: FastifyInstance): void {
  const measures = { billable: 10, billed_ms: 25_920_000_000, at_start: 9, at_end: 10 };
  app.get(PATH, async (request) => answerFor((request.params as { accountId: string }).accountId, measures));
}

export function queriedUsage(app: FastifyInstance, pool: pg.Pool): void {
  const { from, to } = MONTH_WINDOW;
  app.get(PATH, async (request) => {
    const { accountId } = request.params as { accountId: string };
    const { rows } = await pool.query({ name: 'one', text: OF_ONE, values: [from, to, accountId] });
    return answerFor(accountId, rows[0]);
  });
}

interface Row {
  readonly billable: number;
  readonly billed_ms: number | null;
  readonly at_start: number;
  readonly at_end: number;
}

function answerFor(accountId: string, row: Row) {
  const { from, to } = MONTH_WINDOW;
  const billedMs = row.billed_ms ?? 0;
  return {
    accountId,
    period: MONTH,
    window: { from: new Date(from).toISOString(), to: new Date(to).toISOString() },
    through: new Date(to).toISOString(),
    asOf: null,
    position: '200000',
    usage: {
      billableClusters: row.billable,
      clusterSeconds: (billedMs / 1_000).toFixed(3),
      peakClusters: row.billable,
      clustersAtStart: row.at_start,
      clustersAtEnd: row.at_end,
      averageClusters: (billedMs / (to - from)).toFixed(6),
    },
  };
}
