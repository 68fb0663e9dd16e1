/**
 * A month closed over billed intervals that say between which positions they are known: its usage, what became known of the
 * months before since the last close, a line for each statement, and a digest of all of them. PostgreSQL is spared the peak,
 * the fold that makes the intervals, and the names of the facts that caused an adjustment.
 */
export const BILLED_TABLE = `
CREATE TABLE billed (
  account_id  text NOT NULL,
  cluster_id  integer NOT NULL,
  from_ms     bigint NOT NULL,
  to_ms       bigint,
  known_from  integer NOT NULL,
  known_until integer,
  PRIMARY KEY (account_id, cluster_id, from_ms, known_from)
)`;

/** $1 the last watermark, $2 this one, $3 the period, $4 the periods, $5 and $6 when each begins and ends. */
export const CLOSE = `
WITH windows AS (
  SELECT * FROM unnest($4::text[], $5::bigint[], $6::bigint[]) AS w (period, from_ms, to_ms)
), usage AS (
  SELECT w.period, known.at, b.account_id, count(DISTINCT b.cluster_id) AS clusters,
    sum(least(coalesce(b.to_ms, w.to_ms), w.to_ms) - greatest(b.from_ms, w.from_ms)) AS ms
  FROM windows w
  CROSS JOIN (VALUES ($1::int), ($2::int)) AS known (at)
  JOIN billed b ON b.from_ms < w.to_ms AND (b.to_ms IS NULL OR b.to_ms > w.from_ms)
    AND b.known_from <= known.at AND (b.known_until IS NULL OR b.known_until > known.at)
  WHERE w.period <> $3 OR known.at = $2
  GROUP BY w.period, known.at, b.account_id
), adjustment AS (
  SELECT account_id, period,
    coalesce(after.clusters, 0) - coalesce(before.clusters, 0) AS clusters,
    coalesce(after.ms, 0) - coalesce(before.ms, 0) AS ms
  FROM (SELECT * FROM usage WHERE at = $1 AND period <> $3) before
  FULL JOIN (SELECT * FROM usage WHERE at = $2 AND period <> $3) after USING (account_id, period)
  WHERE before.clusters IS DISTINCT FROM after.clusters OR before.ms IS DISTINCT FROM after.ms
), line AS (
  SELECT account_id, period, clusters, ms FROM usage WHERE period = $3
  UNION ALL SELECT * FROM adjustment
), statement AS (
  SELECT account_id, sum(clusters) AS clusters, sum(ms) AS ms,
    json_agg(json_build_array(period, clusters, ms) ORDER BY period)::text AS lines
  FROM line GROUP BY account_id
)
SELECT count(*)::int AS accounts, sum(clusters)::int AS clusters, sum(ms)::bigint::text AS ms,
  encode(sha256(string_agg(account_id || clusters || ms || lines, ',' ORDER BY account_id)::bytea), 'hex') AS digest
FROM statement`;
