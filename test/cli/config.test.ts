import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openKeyFile } from '../../src/audit/key-file.ts';
import { folderForTest, run } from './program.ts';

test('config print shows each setting as written, with its source, and masks secrets', async () => {
  const cwd = await folderForTest();
  await writeFile(
    join(cwd, 'ledger.yaml'),
    'http: { port: 8500 }\nvalidator: { policy: { stopAfter: 2d } }\n',
  );
  const env = { LEDGER_VALIDATOR_SHARD: '2/3', LEDGER_STORE: 'esdb://me:hidden@db:2113' };
  const [table, json] = await Promise.all([
    run(['config', 'print'], { cwd, env }),
    run(['config', 'print', '--json'], { cwd, env }),
  ]);
  expect(table).toMatchObject({ code: 0, stderr: '' });
  expect(table.stdout).toMatch(/^http\.host +default +127\.0\.0\.1$/m);
  expect(table.stdout).toMatch(/^http\.port +ledger\.yaml +8500$/m);
  expect(table.stdout).toMatch(/^validator\.shard +LEDGER_VALIDATOR_SHARD +2\/3$/m);
  expect(table.stdout).toMatch(/^store +LEDGER_STORE +\(secret\)$/m);
  expect(table.stdout).toMatch(/^validator\.policy +ledger\.yaml +\{"stopAfter":"2d"\}$/m);
  expect(table.stdout + json.stdout).not.toContain('hidden');
  const settings = JSON.parse(json.stdout);
  expect(settings).toContainEqual({
    setting: 'http.port',
    variable: 'LEDGER_HTTP_PORT',
    value: 8500,
    isMasked: false,
    origin: { file: 'ledger.yaml' },
  });
  expect(settings).toContainEqual({
    setting: 'store',
    variable: 'LEDGER_STORE',
    isMasked: true,
    origin: { variable: 'LEDGER_STORE' },
  });
});

test('config print reports all invalid settings together and ends with 2', async () => {
  const env = { LEDGER_HTTP_PORT: 'many', LEDGER_STOER: 'sqlite:', LEDGER_AUDIT_ORIGIN: 'a b' };
  const { code, stdout, stderr } = await run(['config', 'print'], { env });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^error: invalid configuration:\n/);
  for (const message of [
    / {2}LEDGER_STOER is not a known setting/,
    / {2}LEDGER_HTTP_PORT must/,
    / {2}LEDGER_AUDIT_ORIGIN must/,
  ])
    expect(stderr).toMatch(message);
});

test('log key rotate changes the configured key file, and fails if the keys are in the settings', async () => {
  const folder = await folderForTest();
  const file = join(folder, 'elsewhere');
  const first = (await openKeyFile(file, 'ledger.example.com/main')).current.toString();
  const env = { LEDGER_DATA_DIR: folder, LEDGER_AUDIT_KEY_FILE: file };
  const rotated = await run(['log', 'key', 'rotate', '--yes'], { env });
  expect(rotated).toMatchObject({ code: 0, stdout: expect.stringContaining(`\n${first}\n`) });

  const { LEDGER_AUDIT_KEY_FILE: _, ...inSettings } = { ...env, LEDGER_AUDIT_KEY: 'PRIVATE+KEY+x' };
  const refused = await run(['log', 'key', 'rotate', '--yes'], { env: inSettings });
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('in its settings, not in a file'),
  });
});
