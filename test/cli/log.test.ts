import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openKeyFile } from '../../src/audit/key-file.ts';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { folderForTest, run } from './program.ts';

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

test('log key rotate adds a key to the key file, and log key retire removes the old one', async () => {
  const folder = await folderForTest();
  const file = join(folder, 'log-key');
  const first = (await openKeyFile(file, 'ledger.example.com/main')).current.toString();
  const change = (verb: string, ...args: string[]) => run(['log', 'key', verb, ...args]);

  const rotated = await change('rotate', '--file', file, '--yes');
  expect(rotated.code).toBe(0);
  const [second, old] = rotated.stdout.trim().split('\n');
  expect(old).toBe(first);
  expect(second).toMatch(/^ledger\.example\.com\/main\+[0-9a-f]{8}\+/);
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
  const retired = await run(['log', 'key', 'retire', '--yes'], { env: { LEDGER_DATA_DIR: folder } });
  expect(retired).toMatchObject({ code: 0, stdout: `${second}\n${first}\n` });
  expect((await readFile(file, 'utf8')).match(/PRIVATE/g)).toHaveLength(1);
});
