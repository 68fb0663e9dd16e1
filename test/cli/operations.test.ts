import { describe, expect, test } from 'vitest';
import { registered } from '../support/cloud-events.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { run, words } from './program.ts';

const MARCH = '2026-03-01T00:00:00.000Z';
const ledger = sharedLedger(async (it) => {
  await it.record(registered('c1', MARCH, 'acme'), registered('c2', MARCH, 'acme'));
});
/** Runs commands whose words have no spaces; an argument that begins with `=` is one word. */
const cli = (...args: string[]) => {
  const split = args.flatMap((arg) => (arg.startsWith('=') ? [arg.slice(1)] : words(arg)));
  return run([...split, '--url', `http://127.0.0.1:${ledger().port}`]);
};
const succeeds = async (...args: string[]) => {
  const { code, stdout, stderr } = await cli(...args);
  expect(code, stderr).toBe(0);
  return stdout;
};

describe('a person at the command line', () => {
  test('registers a cluster, stops and resumes its billing, and reads the facts', async () => {
    const at = '--at 2026-04-01T00:00:00Z';
    const once = await succeeds(
      `clusters register new --account acme --name staging --label team=payments ${at}`,
    );
    expect(once).toMatch(/^registered +new\nevent id +[0-9a-f-]{36}\nposition +\d+$/m);
    expect(
      await succeeds(
        'clusters stop new',
        '--reason',
        '=goodwill for the outage',
        '--at 2026-04-02T00:00:00Z',
      ),
    ).toMatch(/^billing stopped +new$/m);
    expect(await succeeds('clusters resume new --at 2026-04-03T00:00:00Z')).toMatch(
      /^billing resumed +new$/m,
    );
    const facts = await succeeds('clusters events new');
    expect(facts.match(/ClusterRegistered|BillingStopped|BillingResumed/g)).toEqual([
      'ClusterRegistered',
      'BillingStopped',
      'BillingResumed',
    ]);
  });

  test('sees what a void would change, and voids the fact by its position', async () => {
    const [position] = /\d+/.exec(await succeeds('clusters events c2')) ?? [];
    const dry = await succeeds(`events void ${position} --reason mistake --dry-run`);
    expect(dry).toMatch(/^would void +ClusterRegistered\nevent id +[0-9a-f-]{36}\ncluster +c2$/m);
    expect(dry).toMatch(/^acme +2026-03 +\w+ +-1 +-2678400\.000$/m);
    expect(await cli(`events void ${position} --reason mistake`)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('pass --yes'),
    });
    expect(await succeeds(`events void ${position} --reason mistake --yes`)).toMatch(
      /^voided a fact of +c2$/m,
    );
    expect(await succeeds(`events void ${position} --reason mistake --yes`)).toContain('no effect');
  });

  test('finds a rejected event, and posts it again after its cause is fixed', async () => {
    await ledger().post(registered('c1', MARCH, 'globex'));
    const id = (await succeeds('events rejected -o name')).trim();
    expect(await succeeds('events rejected')).toMatch(new RegExp(`^${id} +c1 +registration-conflict$`, 'm'));
    expect(await cli(`events retry ${id}`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('belongs to'),
    });
    expect(await succeeds(`alerts show event-rejected:${id}`)).toMatch(/^what to do +\S/m);
  });

  test('follows one deletion of a cluster', async () => {
    const { body } = await ledger().fetch('/v1/clusters/c1/deletions', { method: 'POST' });
    expect(await succeeds(`clusters deletion c1 ${body.deletionId}`)).toMatch(/^state +requested$/m);
    expect(await succeeds('clusters all-deletions -o name')).toBe(`${body.deletionId}\n`);
    expect((await cli('period pending')).stderr).toBe('no adjustments found\n');
  });

  test('asks who they are, what runs there, and what time it is', async () => {
    expect(await succeeds('whoami')).toMatch(/^role +operator$/m);
    expect(await succeeds('system')).toMatch(/^store +sqlite$/m);
    expect(await succeeds('overview')).toMatch(/^cluster seconds so far +\d+\.\d{3}$/m);
    expect(await succeeds('clock show')).toMatch(/^trusted +yes$/m);
    expect(JSON.parse(await succeeds('openapi'))).toMatchObject({ openapi: '3.1.0' });
  });

  test('looks at the validator and at Kubefirst', async () => {
    expect(await succeeds('validator show')).toContain('the validator has not run yet');
    expect(await cli('validations show nothing')).toMatchObject({ code: 1 });
    expect((await cli('validator decide --proceed 169')).stderr).toContain('a whole number from 0 to 168');
    expect(await succeeds('kubefirst show')).toMatch(/^write key +not required$/m);
    expect(await succeeds('kubefirst usage acme --period 2026-03')).toMatch(/^c1 +.* 744\.000000 +-$/m);
  });

  test('prints proofs of the log for the tools of auditors', async () => {
    await succeeds('log checkpoint --sign');
    const proof = JSON.parse(await succeeds('log proof 1 --json'));
    expect(proof).toMatchObject({ position: '1', leafIndex: 0 });
    expect(JSON.parse(await succeeds(`log consistency 1 ${proof.size} --json`))).toMatchObject({
      from: 1,
      size: proof.size,
      root: proof.root,
    });
  });

  test('changes a webhook, and what is not given stays as it is', async () => {
    const created = JSON.parse(
      await succeeds(
        'webhooks create http://127.0.0.1:1024/hooks --type io.clusterledger.cluster.deleted.v1 --json',
      ),
    );
    const line = `webhooks change ${created.webhookId}`;
    expect(await cli(line)).toMatchObject({ code: 2, stderr: expect.stringContaining('no change given') });
    expect(JSON.parse(await succeeds(`${line} --to http://127.0.0.1:1025/hooks --json`))).toMatchObject({
      url: 'http://127.0.0.1:1025/hooks',
      types: ['io.clusterledger.cluster.deleted.v1'],
      state: 'enabled',
    });
    expect(JSON.parse(await succeeds(`${line} --all-types --json`))).toMatchObject({ types: [] });
    await succeeds(`webhooks delete ${created.webhookId} --yes`);
  });

  test('looks at one API key', async () => {
    const key = (await succeeds('keys create --role operator --name Ada')).trim();
    const id = key.split('_')[1] as string;
    const shown = await succeeds(`keys show ${id} --token ${key}`);
    expect(shown).toMatch(/^name +Ada\nrole +operator$/m);
    expect(shown).not.toContain(key.split('_')[2]);
  });
});
