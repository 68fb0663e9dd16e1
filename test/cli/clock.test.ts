import { expect, test } from 'vitest';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { run, words } from './program.ts';

test('clock trust confirms the time with a reason, and periods can be closed again', async () => {
  const ledger = await ledgerForTest({ now: '2026-04-15T12:00:00.000Z' });
  await ledger.record(registered('c1', '2026-03-10T00:00:00.000Z'));
  ledger.setClock('2026-04-16T12:00:00.000Z');
  const to = ['--url', `http://127.0.0.1:${ledger.port}`];
  const close = () => run([...words('period close 2026-03 --yes'), ...to]);

  const refused = await close();
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('the clock of the host cannot be trusted');
  const withoutReason = await run([...words('clock trust'), ...to]);
  expect(withoutReason.code).toBe(2);
  expect(withoutReason.stderr).toContain("required option '--reason <text>' not specified");

  const trusted = await run(['clock', 'trust', '--reason', 'compared with a time server', ...to]);
  expect(trusted).toMatchObject({ code: 0, stderr: '' });
  expect(trusted.stdout).toMatch(/^trusted +yes\ntime +2026-04-16T12:00:00.000Z$/m);
  expect((await close()).code).toBe(0);
});
