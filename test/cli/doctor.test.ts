import { expect, test } from 'vitest';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { REFUSED, TestValidator } from '../support/validator.ts';
import { run } from './program.ts';

const HOUR = 3_600_000;

test('doctor reports a healthy ledger, and later its stale validator and an outage with what to do', async () => {
  const ledger = await ledgerForTest();
  const to = ['--url', `http://127.0.0.1:${ledger.port}`];
  const ids = ['c1', 'c2', 'c3', 'c4', 'c5'];
  for (const id of ids) await ledger.record(registered(id, '2026-04-10T00:00:00.000Z'));
  await ledger.fetch('/log/checkpoint', { method: 'POST' });
  ledger.pass(2 * HOUR);

  const healthy = await run(['doctor', ...to]);
  expect(healthy).toMatchObject({ code: 0, stderr: '' });
  expect(healthy.stdout.split('\n').map((line) => line.slice(0, 24).trim())).toEqual([
    'ok      configuration',
    'ok      server',
    'ok      store',
    'ok      projections',
    'ok      clusters',
    'ok      statements',
    'ok      log',
    'ok      clock',
    'ok      sources',
    'ok      checkpoint',
    '-       validator',
    'ok      critical alerts',
    '',
  ]);
  expect(healthy.stdout).toMatch(/^ok +checkpoint +signed 2 h ago, 5 of 5 events$/m);

  await new TestValidator(ledger).run(Object.fromEntries(ids.map((id) => [id, REFUSED])));
  ledger.pass(24 * HOUR);
  const [failing, json] = await Promise.all([run(['doctor', ...to]), run(['doctor', '--json', ...to])]);
  expect(failing).toMatchObject({ code: 3, stderr: '' });
  expect(failing.stdout).toMatch(
    /^FAILED +validator +1of1: the validator has completed no run for 3 intervals\n +do: See \/v1\/validations/m,
  );
  expect(failing.stdout).toMatch(
    /^FAILED +critical alerts +mass-unreachable:1of1: none of the 5 clusters .*\n +do: Check the network/m,
  );
  expect(json.code).toBe(3);
  const { ok, checks } = JSON.parse(json.stdout);
  expect(ok).toBe(false);
  expect(checks.find(({ check }: { check: string }) => check === 'validator')).toMatchObject({
    state: 'failed',
    next: expect.stringContaining('See /v1/validations'),
  });
});

test('doctor reports an invalid configuration, and ends with 4 if the ledger does not answer', async () => {
  const env = { LEDGER_HTTP_PORT: 'many', LEDGER_DATA_DIR: '' };
  const { code, stdout, stderr } = await run(['doctor', '--url', 'http://127.0.0.1:9'], { env });
  expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
  expect(stdout).toMatch(/^FAILED +configuration +invalid configuration:\n/);
  expect(stdout).toContain('LEDGER_HTTP_PORT must be a port from 0 to 65535; given "many"');
  expect(stdout).toContain('LEDGER_DATA_DIR must be a folder');
  expect(stdout).toMatch(/^FAILED +server +cannot reach http:\/\/127\.0\.0\.1:9: /m);
  expect(stdout).not.toContain('store');
});
