import { describe, expect, test } from 'vitest';
import { fillLedger } from '../support/filled-ledger.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { REFUSED, TestValidator } from '../support/validator.ts';
import { run, words } from './program.ts';

const ledger = sharedLedger(async (filled) => {
  await fillLedger(filled);
  const settings = { unreachableAfter: 1, unreachableFor: '0m', stopAfter: '14d' };
  const validator = new TestValidator(filled);
  await validator.run();
  filled.pass(300_000);
  await validator.run({ c2: REFUSED }, { settings });
});
const cli = (line: string) => run([...words(line), '--url', `http://127.0.0.1:${ledger().port}`]);

describe.concurrent('the command clusters', () => {
  test('list prints the clusters that match the filters, with their state', async () => {
    const [all, some, none] = await Promise.all([
      cli('clusters list -o wide'),
      cli('clusters list --account acme --q C1 --status billed --json'),
      cli('clusters list --q nothing'),
    ]);
    expect(all.stdout.split('\n').slice(0, 2)).toEqual([
      expect.stringMatching(
        /^CLUSTER +NAME +ACCOUNT +STATUS +STOPPED BY +BILLED SINCE +REGISTERED AT +DELETED AT$/,
      ),
      expect.stringMatching(/^c1 +生产 +acme +billed +- +2026-01-21T00:00:00\.000Z +2026-01-01T/),
    ]);
    expect(all.stdout).toMatch(/^c3 .* deleted .* 2026-01-30T00:00:00\.000Z$/m);
    const { items } = (await ledger().get('/v1/clusters?q=c1')).body;
    expect(
      some.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(items);
    expect(none).toEqual({ code: 0, stdout: '', stderr: 'no clusters found\n' });
  });

  test('list takes every filter and order of the API', async () => {
    const ids = (order: string) => cli(`clusters list --json --sort ${order}`);
    const [up, down, free] = await Promise.all([
      ids('clusterId'),
      ids('-clusterId'),
      cli('clusters list --json --billable false'),
    ]);
    const idsOf = ({ stdout }: { stdout: string }) =>
      stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line).clusterId);
    expect(idsOf(up).length).toBeGreaterThan(2);
    expect(idsOf(down)).toEqual(idsOf(up).reverse());
    const { items } = (await ledger().get('/v1/clusters?billable=false')).body;
    expect(idsOf(free)).toEqual(items.map(({ clusterId }: { clusterId: string }) => clusterId));
  });

  test('show prints the billed intervals, the last verdict and the alerts of a cluster', async () => {
    const [one, two, json, absent] = await Promise.all([
      cli('clusters show c1 -o wide'),
      cli('clusters show c2 -o wide'),
      cli('clusters show c2 --json'),
      cli('clusters show c9'),
    ]);
    expect(one.stdout).toMatch(
      /^2026-01-01T00:00:00\.000Z +2026-01-20T00:00:00\.000Z .*\n2026-01-21T00:00:00\.000Z +still billed /m,
    );
    expect(one.stdout).toMatch(/^last verdict +alive \(ok\) since 2026-04-15T12:00:00\.000Z$/m);
    expect(one.stdout).toContain('\nno unresolved alerts\n');
    expect(two.stdout).toMatch(
      /^last verdict +unreachable \(refused\) since 2026-04-15T12:05:00\.000Z: connect ECONNREFUSED$/m,
    );
    expect(two.stdout).toMatch(/^last seen alive +2026-04-15T12:00:00\.000Z$/m);
    expect(two.stdout).toMatch(/^warning +open .* cluster-unreachable:c2 +cluster c2 has not answered/m);
    expect(JSON.parse(json.stdout)).toMatchObject({
      cluster: { clusterId: 'c2' },
      billing: { intervals: [{ from: '2026-01-10T00:00:00.000Z', to: null }] },
      alerts: [{ id: 'cluster-unreachable:c2' }],
    });
    expect(absent).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('cluster c9 does not exist'),
    });
  });
});
