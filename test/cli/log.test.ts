import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { readKeyFile } from '../../src/audit/key-file.ts';
import { LogKeys } from '../../src/audit/log-keys.ts';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { until } from '../support/until.ts';
import { run } from './program.ts';

test('log key and log checkpoint print the answers of the ledger unchanged', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(registered('c1', '2026-01-01T00:00:00.000Z'));
  const to = ['--url', `http://127.0.0.1:${ledger.port}`];
  const [key, signed] = await Promise.all([
    run(['log', 'key', ...to]),
    run(['log', 'checkpoint', '--sign', ...to]),
  ]);
  expect(key).toEqual({ code: 0, stdout: (await ledger.get('/log/key')).text, stderr: '' });
  expect(signed.stdout.split('\n')[1]).toBe('1');
  expect((await run(['log', 'checkpoint', ...to])).stdout).toBe(signed.stdout);
});

test('log key create prints a private key with the name of the log, which a ledger can use', async () => {
  const { code, stdout, stderr } = await run(['log', 'key', 'create', 'ledger.example.com/log']);
  expect(code).toBe(0);
  const { current } = LogKeys.parse(stdout, 'the key');
  expect(String(current)).toMatch(/^ledger\.example\.com\/log\+/);
  expect(stderr).toContain(`the public key is ${current}`);
});

test('log key rotate adds a key to the key file, and log key retire removes the old one once both have signed', async () => {
  const ledger = await ledgerForTest();
  const to = ['--url', `http://127.0.0.1:${ledger.port}`];
  const file = ledger.keyFile;
  const folder = dirname(file);
  const first = (await readKeyFile(file)).current.toString();
  const change = (verb: string, ...args: string[]) => run(['log', 'key', verb, ...args]);

  const rotated = await change('rotate', '--file', file, '--yes');
  expect(rotated.code).toBe(0);
  const [second, old] = rotated.stdout.trim().split('\n');
  expect(old).toBe(first);
  expect(second).toMatch(/^cluster-ledger\.local\/[-0-9a-f]+\+[0-9a-f]{8}\+/);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const [again, elsewhere] = await Promise.all([
    change('rotate', '--file', file, '--yes'),
    change('rotate', '--file', join(folder, 'nothing'), '--yes'),
  ]);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('a rotation is in progress') });
  expect(elsewhere).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/the key file .* does not exist/),
  });

  // Without --file, the command changes the key file of the settings.
  const retire = () => run(['log', 'key', 'retire', '--yes', ...to], { env: { LEDGER_DATA_DIR: folder } });
  const tooEarly = await retire();
  expect([tooEarly.code, tooEarly.stderr]).toEqual([
    1,
    expect.stringMatching(/not signed by .*Restart the ledger with both keys/),
  ]);
  expect((await readFile(file, 'utf8')).match(/PRIVATE/g)).toHaveLength(2);
  await ledger.reopen();
  to[1] = `http://127.0.0.1:${ledger.port}`;
  await until(async () => (await ledger.get('/log/checkpoint')).text.split('\u2014').length === 3);
  const retired = await retire();
  expect(retired).toMatchObject({ code: 0, stdout: `${second}\n${first}\n` });
  expect((await readFile(file, 'utf8')).match(/PRIVATE/g)).toHaveLength(1);
});
