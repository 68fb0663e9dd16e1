import { expect, test } from 'vitest';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { run, words } from './program.ts';

test('clusters delete confirms by the typed name, clusters deletions follows, clusters cancel-deletion ends it', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(registered('c1', '2026-04-10T00:00:00.000Z', 'acme', { name: 'production' }));
  const cli = (line: string) => run([...words(line), '--url', `http://127.0.0.1:${ledger.port}`]);
  const none = await cli('clusters deletions c1');
  expect([none.stdout, none.stderr]).toEqual(['', 'no deletions found\n']);

  const wrong = await cli('clusters delete c1 --name prod');
  expect([wrong.code, wrong.stdout]).toEqual([1, '']);
  expect(wrong.stderr).toMatch(/475200\.000 cluster seconds[\s\S]+"prod" is not the name of the cluster/);

  const done = await cli('clusters delete c1 --name production --reason moved');
  expect(done.stdout).toMatch(/state +confirmed\nrequested +2026-04-15.* by loopback\nconfirmed +2026-04-15/);
  const list = await cli('clusters deletions c1');
  expect(list.stdout).toMatch(/^DELETION +STATE .*\ndel-\w+ +confirmed .*\ndel-\w+ +cancelled .*\n$/);

  const [, , deletion] = /^deletion +(del-(\w+))$/m.exec(done.stdout) ?? [];
  const cancelled = await cli(`clusters cancel-deletion c1 del-${deletion} --reason kept --json`);
  expect(JSON.parse(cancelled.stdout)).toMatchObject({ state: 'cancelled', cancelled: { reason: 'kept' } });
});
