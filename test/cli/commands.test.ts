import { describe, expect, test } from 'vitest';
import { fillLedger } from '../support/filled-ledger.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { run, words } from './program.ts';

const ledger = sharedLedger(fillLedger);
const url = () => `http://127.0.0.1:${ledger().port}`;

/** Runs a command that must succeed against the ledger. @returns its stdout. */
async function output(line: string): Promise<string> {
  const { code, stdout, stderr } = await run([...words(line), '--url', url()]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

const JANUARY = '--period 2026-01 --through 2026-04-15T00:00:00Z';

describe.concurrent('tables:', () => {
  test('usage prints all accounts and their total', async () => {
    expect(await output(`usage ${JANUARY} --as-of 6 -o wide`)).toBe(
      `period           2026-01
from             2026-01-01T00:00:00.000Z
to               2026-02-01T00:00:00.000Z
counted through  2026-02-01T00:00:00.000Z
log position     6

ACCOUNT  CLUSTERS  CLUSTER SECONDS  PEAK  AT START  AT END   AVERAGE
acme            2      4492800.000     2         1       2  1.677419
globex          1      2289599.500     1         0       1  0.854839

2 accounts, in total 3 clusters and 6782399.500 cluster seconds
`,
    );
  });

  test('usage --by-day prints a row per day', async () => {
    const text = await output(
      'usage acme --from 2026-01-09T00:00:00Z --to 2026-01-11T00:00:00Z --through 2026-04-15T00:00:00Z --by-day -o wide',
    );
    expect(text).toMatch(/^account +acme\n/);
    expect(text.split('\n').slice(-4)).toEqual([
      'DATE        CLUSTERS  CLUSTER SECONDS  PEAK  AT START  AT END   AVERAGE',
      '2026-01-09         1        86400.000     1         1       1  1.000000',
      '2026-01-10         2       172800.000     2         2       2  2.000000',
      '',
    ]);
  });

  test('explain prints the facts that opened and closed each interval', async () => {
    const text = await output(`explain acme ${JANUARY}`);
    expect(text.slice(text.indexOf('CLUSTER  '))).toBe(
      `CLUSTER  FROM                  TO                    CLUSTER SECONDS  FACTS
c1       2026-01-01T00:00:00Z  2026-01-20T00:00:00Z      1641600.000  1, 4
c1       2026-01-21T00:00:00Z  2026-02-01T00:00:00Z       950400.000  5
c2       2026-01-10T00:00:00Z  2026-02-01T00:00:00Z      1900800.000  2
`,
    );
    const wide = await output(`explain acme ${JANUARY} -o wide`);
    expect(wide).toMatch(
      /^c1 +生产 .* 1, 4 +ClusterRegistered [0-9a-f-]{36} +BillingStopped [0-9a-f-]{36}\nc1 .* still billed$/m,
    );
  });

  test('replay prints each fact and the usage after it', async () => {
    const rows = (await output(`replay acme ${JANUARY} -o wide`)).split('\n').slice(0, -1);
    expect(rows[0]).toMatch(/^POSITION +RECORDED AT +EFFECTIVE AT +FACT +CLUSTER +EVENT ID +DELTA CLUSTERS/);
    expect(rows.find((row) => row.includes('FactVoided'))).toMatch(
      /^ +\d+ .* FactVoided +c2 +[0-9a-f-]{36} +0 +\+604800\.000 +2 +4492800\.000$/,
    );
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
  });

  test('diff prints the facts that made the difference', async () => {
    const text = await output(`diff acme ${JANUARY} --before 6 --after 8`);
    expect(text).toMatch(
      /^before +6 +2 +4492800\.000\nafter +8 +2 +3888000\.000\ndelta +- +0 +-604800\.000$/m,
    );
    expect(text).toMatch(/^ +8 +BillingStopped|^ +7 +ClusterDeleted +c2/m);
  });

  test('what-if prints the intervals that would change', async () => {
    const { stdout } = await run(['what-if', 'acme', ...words(JANUARY), '--add', '-', '--url', url()], {
      input: JSON.stringify({
        specversion: '1.0',
        id: 'supposed',
        source: '/pro',
        subject: 'c1',
        type: 'io.clusterledger.cluster.deleted.v1',
        time: '2026-01-02T00:00:00Z',
      }),
    });
    expect(stdout).toMatch(/^actual +2 +4492800\.000\nwhat if +2 +1987200\.000\ndelta +0 +-2505600\.000$/m);
    expect(stdout).toContain('2026-01-01T00:00:00.000Z to 2026-01-02T00:00:00.000Z');
  });

  test('period list and period show print the closing of a period', async () => {
    const rows = (await output('period list -o wide')).split('\n');
    expect(rows[0]).toMatch(
      /^PERIOD +STATE +DUE AT +CLOSED AT +WATERMARK +ACCOUNTS +CLUSTERS +CLUSTER SECONDS$/,
    );
    expect(rows[1]).toMatch(
      /^2026-01 +closed +2026-02-04T00:00:00\.000Z +2026-04-15T12:00:00\.000Z +5 +2 +3 +6782399\.500$/,
    );
    expect(rows.filter((row) => row.startsWith('2026-04'))).toEqual([expect.stringMatching(/ open /)]);
    expect(await output('period show 2026-01')).toMatch(/^statements digest +[0-9a-f]{64}$/m);
  });

  test('period statements prints the statements of a closed period and their total', async () => {
    expect(await output('period statements 2026-01 -o wide')).toBe(
      `period     2026-01
closed at  2026-04-15T12:00:00.000Z
watermark  5

ACCOUNT  CLUSTERS  CLUSTER SECONDS  ADJUSTED CLUSTERS  ADJUSTED SECONDS  TOTAL CLUSTERS  TOTAL SECONDS
acme            2      4492800.000                  0             0.000               2    4492800.000
globex          1      2289599.500                  0             0.000               1    2289599.500

2 statements, in total 3 clusters and 6782399.500 cluster seconds
`,
    );
    expect(await output('period statements 2026-01 globex')).toContain(
      '\n1 statement, in total 1 cluster and',
    );
  });

  test('period close --dry-run prints statements and adjustments, and closes nothing', async () => {
    const text = await output('period close 2026-02 --dry-run -o wide');
    expect(text).toMatch(/^would close +2026-02$/m);
    expect(text).toMatch(/^Adjustments of earlier periods$/m);
    expect(text).toMatch(/^globex +2026-01 +1 +2289599\.500 +1 +2116799\.500 +0 +-172800\.000 +1$/m);
    expect(await output('period show 2026-02')).toMatch(/^state +due$/m);
  });
});

describe.concurrent('machine-readable output:', () => {
  test.each([
    [`usage ${JANUARY}`, '/v1/usage?period=2026-01&through=2026-04-15T00:00:00Z'],
    [
      `usage acme ${JANUARY} --by-day`,
      '/v1/accounts/acme/usage?period=2026-01&through=2026-04-15T00:00:00Z&granularity=day',
    ],
    [
      `explain acme ${JANUARY}`,
      '/v1/accounts/acme/usage/explain?period=2026-01&through=2026-04-15T00:00:00Z',
    ],
    [
      `diff acme ${JANUARY} --before 6 --after 8`,
      '/v1/accounts/acme/diff?period=2026-01&through=2026-04-15T00:00:00Z&before=6&after=8',
    ],
    ['period list', '/v1/periods?limit=1000'],
    ['period show 2026-01', '/v1/periods/2026-01'],
    ['period statements 2026-01', '/v1/periods/2026-01/statements'],
    ['period statements 2026-01 acme', '/v1/periods/2026-01/statements/acme'],
  ])('"%s" prints the response of the ledger unchanged', async (line, path) => {
    const text = await output(`${line} --json`);
    expect(text).toBe(`${(await ledger().get(path)).text}\n`);
    expect(JSON.parse(text)).toBeTypeOf('object');
  });

  test('replay prints NDJSON', async () => {
    const text = await output(`replay acme ${JANUARY} --json`);
    const lines = text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).fact.subject)).toEqual(expect.arrayContaining(['c1', 'c2']));
    expect(text).toBe(
      (await ledger().get('/v1/accounts/acme/replay?period=2026-01&through=2026-04-15T00:00:00Z')).text,
    );
  });

  test('usage and period statements print the CSV of the ledger unchanged', async () => {
    const [usage, statements] = await Promise.all([
      output(`usage ${JANUARY} --csv`),
      output('period statements 2026-01 --csv'),
    ]);
    const csv = { accept: 'text/csv' };
    expect(usage).toBe(
      (await ledger().get('/v1/usage?period=2026-01&through=2026-04-15T00:00:00Z', csv)).text,
    );
    expect(statements).toBe((await ledger().get('/v1/periods/2026-01/statements', csv)).text);
  });
});

describe.concurrent('a request that the ledger rejects', () => {
  test('prints the title, the invalid fields and the request id, and ends with 1', async () => {
    const { code, stdout, stderr } = await run(
      words(`usage acme --period 2026-01 --as-of 999 --url ${url()}`),
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^error: The request is not valid\n {2}\/query\/asOf: must be a position of the log, which ends at \d+; given 999\n {2}request [0-9a-f-]{36}\n$/,
    );
  });

  test('prints the detail if no field is invalid', async () => {
    const { code, stderr } = await run(words(`explain nobody --period 2026-01 --json --url ${url()}`));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: Not found\n {2}no cluster ever belonged to account nobody\n {2}request /);
  });
});
