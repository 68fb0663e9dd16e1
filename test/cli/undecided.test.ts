import { expect, test } from 'vitest';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { REFUSED, TestValidator } from '../support/validator.ts';
import { run, words } from './program.ts';

test('undecided lists clusters with evidence, and stops and leaves many of them at once', async () => {
  const ledger = await ledgerForTest();
  const ids = ['c1', 'c2', 'c3', 'c4', 'g1', 'g2', 'vpn'];
  await ledger.record(...ids.map((id) => registered(id, '2026-04-01T00:00:00.000Z')));
  await new TestValidator(ledger).runs(15, { g1: REFUSED, g2: REFUSED, vpn: REFUSED });
  const cli = (line: string, ...more: string[]) =>
    run([...words(line), ...more, '--url', `http://127.0.0.1:${ledger.port}`]);

  const listed = await cli('undecided list -o wide');
  expect(listed).toMatchObject({ code: 0, stderr: '' });
  expect(listed.stdout).toMatch(/^CLUSTER .*\ng1 +acme +never-verified +refused +2026-04-01T/m);

  const stopped = await cli('undecided stop g1 g2 c1 --from registration', '--reason', 'deleted long ago');
  expect(stopped.code).toBe(1);
  expect(stopped.stdout).toMatch(/^c1 +refused +is not in the list of undecided clusters$/m);
  expect(stopped.stdout).toMatch(/^g1 +stopped +-$/m);
  const left = await cli('undecided leave vpn', '--reason', 'behind a VPN');
  expect(left).toMatchObject({ code: 0, stdout: expect.stringMatching(/^vpn +left +-$/m) });
  for (const id of ['g1', 'g2'])
    expect((await ledger.get(`/v1/clusters/${id}/billing`)).body.intervals).toEqual([]);
  expect((await ledger.get('/v1/clusters/vpn')).body.status).toBe('billed');
});
