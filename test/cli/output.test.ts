import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { deleted, registered, stopped } from '../support/cloud-events.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { run, words } from './program.ts';

const MARCH = '2026-03-01T00:00:00.000Z';
const ledger = sharedLedger(async (it) => {
  await it.record(
    registered('prod-eu-1', MARCH, 'acme', { clusterType: 'workload', labels: { team: 'payments' } }),
    registered('staging', MARCH, 'acme', {
      clusterType: 'vcluster',
      labels: { team: 'payments', env: 'test' },
    }),
    stopped('staging', '2026-03-10T00:00:00.000Z'),
    deleted('prod-eu-1', '2026-03-20T12:34:56.789Z'),
    registered('initech-1', MARCH, 'initech'),
  );
  await it.post(registered('prod-eu-1', MARCH, 'globex'));
  await it.fetch('/v1/periods/2026-03/close', { method: 'POST' });
});
const cli = (line: string) => run([...words(line), '--url', `http://127.0.0.1:${ledger().port}`]);

describe.concurrent('tables:', () => {
  test.each([
    'usage --period 2026-03',
    'usage acme --period 2026-03 --by-day',
    'usage acme --period 2026-03 --group-by label:team',
    'explain acme --period 2026-03',
    'replay acme --period 2026-03',
    'diff acme --period 2026-03 --before 2',
    'period list',
    'period statements 2026-03',
    'accounts list',
    'alerts list',
    'clusters list',
    'clusters show staging',
    'clusters events staging',
    'events tail',
    'events rejected',
    'keys list',
    'validations list',
  ])('`%s` prints lines of at most 80 columns', async (line) => {
    const { code, stdout, stderr } = await cli(line);
    expect(code, stderr).toBe(0);
    for (const row of stdout.split('\n')) expect(row.length, row).toBeLessThanOrEqual(80);
  });

  test('shows instants to the second, and with -o wide to the millisecond, with event ids', async () => {
    const [narrow, wide] = await Promise.all([
      cli('clusters events prod-eu-1'),
      cli('clusters events prod-eu-1 -o wide'),
    ]);
    expect(narrow.stdout).toContain('2026-03-20T12:34:56Z  ClusterDeleted');
    expect(wide.stdout).toMatch(/2026-03-20T12:34:56\.789Z .*[0-9a-f]{8}-[0-9a-f]{4}-5/);
  });
});

describe('the form of the output', () => {
  test('is YAML with -o yaml, of one document and of a list', async () => {
    const [one, list, lines] = await Promise.all([
      cli('usage acme --period 2026-03 -o yaml'),
      cli('clusters list -o yaml'),
      cli('replay acme --period 2026-03 -o yaml'),
    ]);
    expect(parse(one.stdout)).toMatchObject({ accountId: 'acme', period: '2026-03' });
    expect(parse(list.stdout)).toMatchObject([
      { clusterId: 'initech-1' },
      { clusterId: 'prod-eu-1' },
      { clusterId: 'staging' },
    ]);
    expect(parse(lines.stdout)[0]).toMatchObject({ fact: { subject: 'prod-eu-1' } });
  });

  test('is CSV with -o csv, of the ledger where it has one, and otherwise all columns of the table', async () => {
    const [own, table] = await Promise.all([
      cli('usage --period 2026-03 -o csv'),
      cli('clusters list --account acme -o csv'),
    ]);
    expect(own.stdout).toMatch(/^accountId,/);
    expect(table.stdout.split('\r\n')).toEqual([
      'CLUSTER,NAME,ACCOUNT,STATUS,STOPPED BY,BILLED SINCE,REGISTERED AT,DELETED AT',
      expect.stringMatching(
        /^prod-eu-1,.*,acme,deleted,,,2026-03-01T00:00:00\.000Z,2026-03-20T12:34:56\.789Z$/,
      ),
      expect.stringMatching(/^staging,.*,acme,stopped,manual,,2026-03-01T00:00:00\.000Z,$/),
      '',
    ]);
  });

  test('is the ids alone with -o name, for use in a shell', async () => {
    const [clusters, alerts] = await Promise.all([cli('clusters list -o name'), cli('alerts list -o name')]);
    expect(clusters.stdout).toBe('initech-1\nprod-eu-1\nstaging\n');
    expect(alerts.stdout).toMatch(/^event-rejected:/m);
  });

  test('must be one that the command has, and only one', async () => {
    const [unknown, two] = await Promise.all([
      cli('clusters show staging -o csv'),
      cli('clusters list -o name --json'),
    ]);
    expect(unknown).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Allowed choices are json, yaml, wide'),
    });
    expect(two).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("cannot be used with option '--json'"),
    });
  });
});

describe('clusters list', () => {
  test.each([
    ['-l team=payments', 'prod-eu-1\nstaging\n'],
    ['-l team=payments,env=test', 'staging\n'],
    ['-l team=payments -l env=test', 'staging\n'],
    ['--labels env=prod', ''],
  ])('%s selects by labels', async (selector, found) => {
    expect((await cli(`clusters list ${selector} -o name`)).stdout).toBe(found);
  });
});

describe('a position', () => {
  test('names a fact where a command takes an event', async () => {
    const { stdout } = await cli('events tail --json');
    const event = JSON.parse(stdout.split('\n')[1] as string);
    const [byPosition, byId, nothing] = await Promise.all([
      cli(`events show ${event.ledgerposition}`),
      cli(`events show ${event.ledgereventid}`),
      cli('events show 999999'),
    ]);
    expect(byPosition.stdout).toBe(byId.stdout);
    expect(nothing).toMatchObject({
      code: 1,
      stderr: 'error: there is no fact at position 999999 of the log\n',
    });
    const whatIf = await cli(`what-if acme --period 2026-03 --remove ${event.ledgerposition}`);
    expect(whatIf).toMatchObject({ code: 0 });
  });
});

describe('an option', () => {
  test.each([
    ['usage --period 2026-03 --period 2026-04', "option '--period <month>' was given twice"],
    ['accounts set acme --limit a=1 --limit a=2', 'The type a was given twice.'],
    ['accounts set acme --external-id s=1 --external-id s=2', 'The system s was given twice.'],
  ])('is refused if it is given twice: %s', async (line, message) => {
    expect(await cli(line)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });
});

/** A ledger that answers with 503 and `Retry-After` for a number of times, and then passes requests on to a real one. */
async function busyLedger(refusals: number, code = 'overloaded') {
  let calls = 0;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (++calls <= refusals) {
      response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '0' });
      const type = `urn:cluster-ledger:problem:${code}`;
      return void response.end(
        JSON.stringify({
          type,
          title: 'The ledger is busy',
          status: 503,
          detail: 'the ledger is busy',
          instance: 'r',
        }),
      );
    }
    const init = { method: request.method ?? 'GET', headers: { 'content-type': 'application/json' } };
    const url = `http://127.0.0.1:${ledger().port}${request.url}`;
    const answer = await fetch(url, { ...init, ...(body !== '' && { body }) });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls: () => calls };
}

describe('a ledger that asks to wait', () => {
  test('is asked again, and a message on stderr says so', async () => {
    const busy = await busyLedger(2);
    const { code, stdout, stderr } = await run(['clusters', 'list', '-o', 'name', '--url', busy.url]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'initech-1\nprod-eu-1\nstaging\n' });
    expect(stderr).toContain('asks to wait: the ledger is busy; trying again in 0 s (attempt 2 of 6)');
  });

  test('is asked again to record something if it says that nothing was recorded', async () => {
    const busy = await busyLedger(1);
    const line = ['clusters', 'stop', 'initech-1', '--cause', 'manual', '--at', '2026-04-02T00:00:00Z'];
    expect(await run([...line, '--url', busy.url])).toMatchObject({ code: 0 });
  });

  test('is not asked again to record something whose outcome is unknown', async () => {
    const busy = await busyLedger(1, 'outcome-unknown');
    expect(await run(['clusters', 'stop', 'initech-1', '--url', busy.url])).toMatchObject({ code: 1 });
    expect(busy.calls()).toBe(1);
  });

  test('is given up after six attempts', async () => {
    const busy = await busyLedger(99);
    expect(await run(['clusters', 'list', '--url', busy.url])).toMatchObject({ code: 1 });
    expect(busy.calls()).toBe(6);
  });
});
