import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { LedgerProcess } from '../support/ledger-process.ts';
import { until } from '../support/until.ts';
import { folderForTest, run, words } from './program.ts';

const KEY = /^clk_([a-z0-9]{12})_[A-Za-z0-9]{38}\n$/;

async function startedWith(environment: Record<string, string>): Promise<LedgerProcess> {
  const ledger = new LedgerProcess(environment);
  onTestFinished(() => ledger.stop());
  await ledger.start();
  return ledger;
}

test('keys create makes the first key in a store, keys create, list and revoke then use it', async () => {
  const folder = await folderForTest();
  const store = `sqlite:${join(folder, 'data', 'ledger.db')}`;
  const first = await run([...words('keys create --role operator --name Ada --store'), store]);
  expect(first.stderr).toMatch(
    /does not exist: a new ledger is created\n[\s\S]*key \w{12} for Ada \(operator\)/,
  );
  expect(first.stdout).toMatch(KEY);
  const ledger = await startedWith({ LEDGER_DATA_DIR: join(folder, 'data') });
  const env = { LEDGER_URL: ledger.url, LEDGER_KEY: first.stdout.trim() };
  expect((await run(words('keys list'), { env: { LEDGER_URL: ledger.url } })).stderr).toMatch(
    /Authentication required/,
  );
  const created = await run(
    [...words('keys create --role customer --account acme --days 30 --json --name'), 'Acme Inc.'],
    {
      env,
    },
  );
  const customer = JSON.parse(created.stdout);
  expect(customer).toMatchObject({ name: 'Acme Inc.', role: 'customer', accountId: 'acme', state: 'active' });
  const listed = await run(['keys', 'list', '--key', env.LEDGER_KEY], { env: { LEDGER_URL: ledger.url } });
  expect(listed.stdout).toMatch(
    /Ada +operator +active .*\n\w+ +Acme Inc\. +customer acme +active .* never\n$/,
  );
  const revoked = await run(words(`keys revoke ${customer.id} --reason leaked --yes`), { env });
  expect(revoked.stdout).toMatch(/state +revoked[\s\S]+reason +leaked/);
  const active = await run(words('keys list --state active --json'), { env });
  expect(active.stdout.trim().split('\n')).toHaveLength(1);
  const own = KEY.exec(first.stdout)?.[1];
  const last = await run(words(`keys revoke ${own} --yes`), { env });
  expect(last.code).toBe(1);
  expect(last.stderr).toMatch(/The last key of an operator cannot be revoked/);
});

test('keys create refuses a first key that is not for an operator, and an account for another role', async () => {
  const folder = await folderForTest();
  const store = `sqlite:${join(folder, 'ledger.db')}`;
  const billing = await run([...words('keys create --role billing --name x --store'), store]);
  expect([billing.code, billing.stderr]).toEqual([1, expect.stringContaining('pass --role operator')]);
  const account = await run([...words('keys create --role billing --name x --account acme --store'), store]);
  expect([account.code, account.stderr]).toEqual([2, expect.stringContaining('--account is for the role')]);
  const none = await run([...words('keys create --role customer --name x --store'), store]);
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('pass --account')]);
});

test('the ledger refuses to listen where others can reach it while there is no key, and says how to create one', async () => {
  const folder = await folderForTest();
  const ledger = new LedgerProcess({ LEDGER_DATA_DIR: folder, LEDGER_HTTP_HOST: '0.0.0.0' });
  const started = await ledger.launch();
  await until(() => Promise.resolve(started.exitCode !== null));
  expect(ledger.exitCode).toBe(1);
  expect(ledger.output).toContain('there are no API keys, so the ledger does not listen on 0.0.0.0');
  expect(ledger.output).toContain('cluster-ledger keys create --role operator');
});

test('the ledger listens where others can reach it with a bootstrap key in a file', async () => {
  const folder = await folderForTest();
  const file = join(folder, 'bootstrap');
  await writeFile(file, 'a-secret-of-the-deployment\n');
  const ledger = await startedWith({
    LEDGER_DATA_DIR: join(folder, 'data'),
    LEDGER_HTTP_HOST: '0.0.0.0',
    LEDGER_BOOTSTRAP_KEY_FILE: file,
  });
  const env = { LEDGER_URL: ledger.url, LEDGER_KEY: (await readFile(file, 'utf8')).trim() };
  const { code, stdout } = await run(words('keys create --role operator --name Ada'), { env });
  expect([code, stdout]).toEqual([0, expect.stringMatching(KEY)]);
  expect((await run(words('keys list'), { env })).code).toBe(1);
  expect(ledger.output).not.toContain('a-secret-of-the-deployment');
});
