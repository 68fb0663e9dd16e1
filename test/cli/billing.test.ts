import { describe, expect, test } from 'vitest';
import { event } from '../support/cloud-events.ts';
import { fillLedger } from '../support/filled-ledger.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { run, words } from './program.ts';

const url = (ledger: TestLedger) => `http://127.0.0.1:${ledger.port}`;

async function platformOf2021(): Promise<TestLedger> {
  const ledger = await ledgerForTest();
  const data = { accountId: 'acme', name: 'one' };
  await ledger.record(event('cluster.registered', 'c1', '2021-02-03T00:00:00Z', data));
  return ledger;
}

describe('billing begin', () => {
  test('shows what it leaves out with --dry-run, and begins statements with the month that is given', async () => {
    const ledger = await platformOf2021();
    const line = ['billing', 'begin', '2026-03', '--reason', 'billed elsewhere', '--url', url(ledger)];
    const preview = await run([...line, '--dry-run']);
    expect(preview.stdout).toMatch(
      /^would begin with +2026-03\nleft out +2021-02-03T00:00:00\.000Z to 2026-03-01T00:00:00\.000Z\naccounts +1\n/,
    );
    const none = await run(['billing', 'show', '--url', url(ledger)]);
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('no beginning is recorded');
    expect((await run(line)).code).toBe(2);
    expect((await run([...line, '--yes'])).stdout).toMatch(
      /^begins with +2026-03\nreason +billed elsewhere\n/,
    );
    expect((await run(['billing', 'show', '--url', url(ledger)])).stdout).toMatch(/^begins with +2026-03\n/);
    const { body } = await ledger.get('/v1/periods');
    expect(body.items[0].period).toBe('2026-03');
  });

  test('is what a closing of a later month points to, and is named by every figure of the time before it', async () => {
    const ledger = await platformOf2021();
    const { stderr } = await run(['period', 'close', '2026-03', '--yes', '--url', url(ledger)]);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(
      'the next is 2021-02, not 2026-03. If another system has billed the time before, begin statements with 2026-03: `cluster-ledger billing begin 2026-03`',
    );
    await run(['billing', 'begin', '2026-03', '--reason', 'billed elsewhere', '--yes', '--url', url(ledger)]);
    const commands = [
      ['usage'],
      ['usage', 'acme'],
      ['explain', 'acme'],
      ['diff', 'acme', '--before', '0', '--after', '1'],
    ];
    for (const command of commands)
      for (const [month, isSaid] of [
        ['2026-02', true],
        ['2026-03', false],
      ] as const) {
        const { code, stdout } = await run([...command, '--period', month, '--url', url(ledger)]);
        expect([
          code,
          /^statements begin +2026-03; usage from before is on no statement$/m.test(stdout),
        ]).toEqual([0, isSaid]);
      }
  });

  test('fails if another month was chosen before', async () => {
    const ledger = await platformOf2021();
    const begin = (month: string) =>
      run(['billing', 'begin', month, '--reason', 'billed elsewhere', '--yes', '--url', url(ledger)]);
    await begin('2026-03');
    const { code, stderr } = await begin('2026-02');
    expect(code).toBe(1);
    expect(stderr).toContain('statements begin with 2026-03');
  });

  test('names the option that is missing', async () => {
    const { code, stderr } = await run(words('billing begin 2026-03'));
    expect(code).toBe(2);
    expect(stderr).toContain("'--reason <text>' not specified");
  });
});

describe('accounts', () => {
  test('set replaces the profile, and show and list print the limits with what is left', async () => {
    const ledger = await ledgerForTest();
    await fillLedger(ledger);
    const set = ['accounts', 'set', 'acme', '--name', 'Acme Inc.', '--external-id', 'stripe=cus_42'];
    const stored = await run([...set, '--limit', '*=25', '--limit', 'vcluster=1', '--url', url(ledger)]);
    expect(stored).toMatchObject({ code: 0, stderr: '' });
    const { stdout } = await run(words(`accounts show acme --url ${url(ledger)}`));
    expect(stdout).toMatch(/^account +acme\nname +Acme Inc\.\nid in stripe +cus_42\n/);
    expect(stdout).toMatch(/^limit of all types +25, \d+ billed, \d+ left$/m);
    expect(stdout).toMatch(/^limit of vcluster +1, 0 billed, 1 left$/m);
    const list = await run(words(`accounts list --url ${url(ledger)}`));
    expect(list.stdout).toMatch(/^acme +Acme Inc\. +\d+ +\d+ +all types \d+\/25, vcluster \d+\/1$/m);
    await run(words(`accounts set acme --name Acme --url ${url(ledger)}`));
    expect((await run(words(`accounts show acme --url ${url(ledger)}`))).stdout).not.toContain('limit of');
  });

  test('set needs at least one option, so that a profile is not erased by accident', async () => {
    const { code, stderr } = await run(words('accounts set acme'));
    expect(code).toBe(2);
    expect(stderr).toContain('give --name, --external-id or --limit');
  });

  test.each([
    ['--limit', 'vcluster', 'It must be <type>=<count>'],
    ['--limit', 'vcluster=many', 'It must be <type>=<count>'],
    ['--external-id', 'cus_42', 'It must be <system>=<id>'],
  ])('set rejects %s %s', async (option, value, message) => {
    const { code, stderr } = await run(['accounts', 'set', 'acme', option, value]);
    expect(code).toBe(2);
    expect(stderr).toContain(`'${value}'`);
    expect(stderr).toContain(message);
  });
});

describe('clusters transfer', () => {
  test('shows the credit and the charge with --dry-run, and transfers the cluster', async () => {
    const ledger = await platformOf2021();
    const line = words(`clusters transfer c1 --to globex --at 2026-03-01T00:00:00Z --url ${url(ledger)}`);
    const preview = await run([...line, '--dry-run']);
    expect(preview.stdout).toMatch(/^acme +2026-03 +due +-1 +-2678400\.000$/m);
    expect(preview.stdout).toMatch(/^globex +2026-03 +due +\+1 +\+2678400\.000$/m);
    expect((await run(line)).code).toBe(2);
    const transferred = await run([...line, '--yes']);
    expect(transferred.stdout).toMatch(/^transferred +c1\nto account +globex\nevent id +[0-9a-f-]{36}\n/);
    expect((await ledger.get('/v1/clusters/c1')).body.accountId).toBe('globex');
  });
});
