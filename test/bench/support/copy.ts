import type pg from 'pg';

const ROWS = 10_000;

/** Copies rows into a table of PostgreSQL, then has it look at what it got. */
export async function copyInto(
  client: pg.Client,
  table: string,
  types: readonly string[],
  rows: Iterable<readonly unknown[]>,
): Promise<void> {
  const parameters = types.map((type, i) => `$${i + 1}::${type}[]`).join(', ');
  const insert = async (some: readonly (readonly unknown[])[]) => {
    const columns = types.map((_, column) => some.map((row) => row[column]));
    await client.query(`INSERT INTO ${table} SELECT * FROM unnest(${parameters})`, columns);
  };
  let waiting: (readonly unknown[])[] = [];
  for (const row of rows) {
    waiting.push(row);
    if (waiting.length < ROWS) continue;
    await insert(waiting);
    waiting = [];
  }
  if (waiting.length > 0) await insert(waiting);
  await client.query(`VACUUM ANALYZE ${table}`);
}
