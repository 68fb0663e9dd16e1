import { expect, test } from 'vitest';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { REFUSED, TestValidator } from '../support/validator.ts';
import { run } from './program.ts';

const HOUR = 3_600_000;

test('the doctor finds a sound ledger sound, and then its stale validator and its outage, and says what to do', async () => {
  const ledger = await ledgerForTest();
  const to = ['--url', `http://127.0.0.1:${ledger.port}`];
  const ids = ['c1', 'c2', 'c3', 'c4', 'c5'];
  for (const id of ids) await ledger.record(registered(id, '2026-04-10T00:00:00.000Z'));
  await ledger.fetch('/log/checkpoint', { method: 'POST' });
  ledger.pass(2 * HOUR);

  const well = await run(['doctor', ...to]);
  expect(well).toMatchObject({ code: 0, stderr: '' });
  expect(well.stdout.split('\n').map((line) => line.slice(0, 24).trim())).toEqual([
    'ok      configuration',
    'ok      server',
    'ok      store',
    'ok      projections',
    'ok      clusters',
    'ok      statements',
    'ok      log',
    'ok      checkpoint',
    '-       validator',
    'ok      critical alerts',
    '',
  ]);
  expect(well.stdout).toMatch(/^ok +checkpoint +signed, of 5 of 5 events, 2 h ago$/m);

  await new TestValidator(ledger).run(Object.fromEntries(ids.map((id) => [id, REFUSED])));
  ledger.pass(24 * HOUR);
  const [ill, told] = await Promise.all([run(['doctor', ...to]), run(['doctor', '--json', ...to])]);
  expect(ill).toMatchObject({ code: 3, stderr: '' });
  expect(ill.stdout).toMatch(
    /^FAILED +validator +1of1: the validator has completed no run for 3 intervals\n +do: See \/v1\/validations/m,
  );
  expect(ill.stdout).toMatch(
    /^FAILED +critical alerts +mass-unreachable:1of1: none of the 5 clusters .*\n +do: See whether our own/m,
  );
  expect(told.code).toBe(3);
  const { ok, checks } = JSON.parse(told.stdout);
  expect(ok).toBe(false);
  expect(checks.find(({ check }: { check: string }) => check === 'validator')).toMatchObject({
    state: 'failed',
    next: expect.stringContaining('See /v1/validations'),
  });
});

test('a ledger that does not answer ends the examination with 4, after what is wrong in the configuration', async () => {
  const env = { LEDGER_HTTP_PORT: 'many', LEDGER_DATA_DIR: '' };
  const { code, stdout, stderr } = await run(['doctor', '--url', 'http://127.0.0.1:9'], { env });
  expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
  expect(stdout).toMatch(/^FAILED +configuration +the configuration is not valid:\n/);
  expect(stdout).toContain('LEDGER_HTTP_PORT must be a port from 0 to 65535; given "many"');
  expect(stdout).toContain('LEDGER_DATA_DIR must be a folder');
  expect(stdout).toMatch(/^FAILED +server +http:\/\/127\.0\.0\.1:9 cannot be reached: /m);
  expect(stdout).not.toContain('store');
});
