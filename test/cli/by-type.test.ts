import { describe, expect, test } from 'vitest';
import { recordBegunPlatform } from '../support/begun-platform.ts';
import { registered } from '../support/cloud-events.ts';
import { fillLedger } from '../support/filled-ledger.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { run, words } from './program.ts';

async function ledgerWithTypes(): Promise<TestLedger> {
  const ledger = await ledgerForTest();
  await recordBegunPlatform(ledger);
  return ledger;
}

async function print({ port }: TestLedger, line: string): Promise<string> {
  const { code, stdout, stderr } = await run(words(`${line} --url http://127.0.0.1:${port}`));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** Returns the first cells of the rows of the table whose line of titles matches, up to an empty line. */
function rowsUnder(text: string, title: RegExp, cells: number): string[] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => title.test(line)) + 1;
  expect(start).toBeGreaterThan(0);
  const rows = lines.slice(start, lines.indexOf('', start));
  return rows.map((row) => row.split(/ {2,}/).slice(0, cells).join(' | '));
}

describe('figures by cluster type', () => {
  test('usage of all accounts has a row for each type after the row for all types', async () => {
    const text = await print(await ledgerWithTypes(), 'usage --period 2026-03');
    expect(rowsUnder(text, /^ACCOUNT +TYPE +CLUSTERS/, 4)).toEqual([
      'acme | all types | 1 | 2678400.000',
      'acme | vcluster | 1 | 2678400.000',
      'globex | all types | 2 | 5356800.000',
      'globex | no type | 1 | 2678400.000',
      'globex | vcluster | 1 | 2678400.000',
    ]);
    expect(text).toContain('2 accounts, in total 3 clusters and 8035200.000 cluster seconds');
  });

  test('usage of one account by day has a row for each type that is billed on the day', async () => {
    const line = 'usage globex --from 2026-01-24T00:00:00Z --to 2026-01-26T00:00:00Z --by-day';
    const text = await print(await ledgerWithTypes(), line);
    expect(rowsUnder(text, /^DATE +TYPE +CLUSTERS/, 4)).toEqual([
      '2026-01-24 | all types | 1 | 86400.000',
      '2026-01-24 | no type | 1 | 86400.000',
      '2026-01-25 | all types | 2 | 172800.000',
      '2026-01-25 | no type | 1 | 86400.000',
      '2026-01-25 | vcluster | 1 | 86400.000',
    ]);
  });

  test('the list of clusters has those of one type', async () => {
    const ledger = await ledgerWithTypes();
    await ledger.record(registered('without-a-type', '2026-03-01T00:00:00.000Z', 'globex'));
    const { items } = (await ledger.get('/v1/clusters')).body as { items: { clusterType?: string }[] };
    const ofType = items.filter(({ clusterType }) => clusterType === 'vcluster');
    const lines = (await print(ledger, 'clusters list --type vcluster --json')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(ofType);
    expect(items.length).toBeGreaterThan(ofType.length);
  });

  test('explain prints the usage of each type and the type of each interval', async () => {
    const text = await print(await ledgerWithTypes(), 'explain globex --period 2026-01 -o wide');
    expect(rowsUnder(text, /^TYPE +CLUSTERS/, 3)).toEqual([
      'all types | 2 | 3110400.000',
      'no type | 1 | 2505600.000',
      'vcluster | 1 | 604800.000',
    ]);
    expect(text).toMatch(/^old1 +old1 +vcluster +2026-01-25T00:00:00\.000Z/m);
    expect(text).toMatch(/^old2 +old2 +no type +2026-01-01T00:00:00\.000Z/m);
  });

  test('statements have the usage, the adjustments and the total of each type', async () => {
    const text = await print(await ledgerWithTypes(), 'period statements 2026-03 acme -o wide');
    expect(rowsUnder(text, /^ACCOUNT +TYPE +CLUSTERS/, 8)).toEqual([
      'acme | all types | 1 | 2678400.000 | +1 | +3542400.000 | 2 | 6220800.000',
      'acme | no type | 0 | 0.000 | -1 | -1641600.000 | -1 | -1641600.000',
      'acme | vcluster | 1 | 2678400.000 | +2 | +5184000.000 | 3 | 7862400.000',
    ]);
    const adjustments = rowsUnder(text, /^ACCOUNT +PERIOD +TYPE/, 9);
    expect(adjustments.slice(2)).toEqual([
      'acme | 2026-02 | all types | 1 | 1641600.000 | 1 | 2419200.000 | 0 | +777600.000',
      'acme | 2026-02 | no type | 1 | 1641600.000 | 0 | 0.000 | -1 | -1641600.000',
      'acme | 2026-02 | vcluster | 0 | 0.000 | 1 | 2419200.000 | +1 | +2419200.000',
    ]);
  });

  test('diff prints the change of each type', async () => {
    const text = await print(await ledgerWithTypes(), 'diff acme --period 2026-02 --before 10 --after 15');
    expect(rowsUnder(text, /^ +TYPE +POSITION/, 5)).toEqual([
      'before | all types | 10 | 1 | 1641600.000',
      'after | all types | 15 | 1 | 2419200.000',
      'delta | all types | - | 0 | +777600.000',
      'before | no type | 10 | 1 | 1641600.000',
      'after | no type | 15 | 0 | 0.000',
      'delta | no type | - | -1 | -1641600.000',
      'before | vcluster | 10 | 0 | 0.000',
      'after | vcluster | 15 | 1 | 2419200.000',
      'delta | vcluster | - | +1 | +2419200.000',
    ]);
  });

  test('what-if prints the change of each type', async () => {
    const ledger = await ledgerWithTypes();
    const { body } = await ledger.get('/v1/accounts/globex/usage/explain?period=2026-03');
    const fact = body.clusters.find((own: { clusterId: string }) => own.clusterId === 'old1');
    const line = `what-if globex --period 2026-03 --remove ${fact.intervals[0].openedBy.eventId}`;
    const text = await print(ledger, line);
    expect(rowsUnder(text, /^ +TYPE +CLUSTERS/, 4)).toEqual([
      'actual | all types | 2 | 5356800.000',
      'what if | all types | 1 | 2678400.000',
      'delta | all types | -1 | -2678400.000',
      'actual | no type | 1 | 2678400.000',
      'what if | no type | 1 | 2678400.000',
      'delta | no type | 0 | 0.000',
      'actual | vcluster | 1 | 2678400.000',
      'what if | vcluster | 0 | 0.000',
      'delta | vcluster | -1 | -2678400.000',
    ]);
  });

  test('clusters transfer --dry-run prints the credit and the charge of each type', async () => {
    const line = 'clusters transfer old1 --to acme --at 2026-03-01T00:00:00Z --dry-run';
    const text = await print(await ledgerWithTypes(), line);
    expect(
      rowsUnder(text, /^ACCOUNT +PERIOD +STATE +TYPE/, 6).filter((row) => row.includes('2026-03')),
    ).toEqual([
      'acme | 2026-03 | closed | all types | +1 | +2678400.000',
      'acme | 2026-03 | closed | vcluster | +1 | +2678400.000',
      'globex | 2026-03 | closed | all types | -1 | -2678400.000',
      'globex | 2026-03 | closed | no type | 0 | 0.000',
      'globex | 2026-03 | closed | vcluster | -1 | -2678400.000',
    ]);
  });

  test.each([
    ['usage --period 2026-01'],
    ['usage acme --period 2026-01'],
    ['explain acme --period 2026-01'],
    ['period statements 2026-01'],
  ])('%s prints no types if no fact names one', async (line) => {
    const ledger = await ledgerForTest();
    await fillLedger(ledger);
    expect(await print(ledger, line)).not.toMatch(/TYPE|all types|no type/);
  });
});
