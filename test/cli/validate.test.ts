import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { Fleet, fleetForTest, type ValidatedFleet } from '../support/validated-fleet.ts';
import { REFUSED, TestValidator } from '../support/validator.ts';
import { finished, folderForTest, run, start, words } from './program.ts';

const steady = { s1: 'healthy', s2: 'healthy', s3: 'healthy', s4: 'healthy', s5: 'healthy' } as const;
/** A policy that stops billing at the first failed probe. */
const AT_ONCE = {
  stopNeverSeen: true,
  unreachableAfter: 1,
  unreachableFor: '0m',
  stopAfter: '0m',
  version: 'v1',
  policies: [{ name: 'watched', version: 'v1', match: { accounts: ['globex'] }, mode: 'observe' }],
};

const urlOf = ({ ledger }: Pick<ValidatedFleet, 'ledger'>) => `http://127.0.0.1:${ledger.port}`;

/** Uses a real ledger, a real probing process and real API servers over TLS. */
describe('validate --once', () => {
  let servers: Fleet;
  beforeAll(async () => {
    servers = await Fleet.start();
  });
  afterAll(() => servers.stop());

  const cli = (fleet: ValidatedFleet, line: string) => run([...words(line), '--url', urlOf(fleet)]);

  test('shows planned and recorded facts, whose alerts can be listed and acknowledged, and reports an outage', async () => {
    const fleet = await fleetForTest(servers, { policy: AT_ONCE });
    await fleet.register({ ...steady, gone: 'refused' });
    await fleet.becomes('kept', 'refused');
    const connection = 'dir:kept.yaml';
    await fleet.ledger.record(registered('kept', '2026-04-01T00:00:00.000Z', 'globex', { connection }));

    const planned = await cli(fleet, 'validate --once --dry-run');
    expect(planned).toMatchObject({ code: 0, stderr: '' });
    expect(planned.stdout).toMatch(
      /^alive +5\nunreachable +2\nunknown +0\nunverifiable +0\nbreaker +closed$/m,
    );
    expect(planned.stdout).toMatch(/^Not alive\nCLUSTER .*\ngone +unreachable +refused /m);
    expect(planned.stdout).toMatch(/^Would be recorded\nCLUSTER .*\ngone +ClusterUnreachable +2026-04-15/m);
    expect((await fleet.factsOf('gone')).map(({ type }) => type)).toEqual(['cluster.registered']);

    const done = await cli(fleet, 'validate --once');
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(done.stdout).toMatch(/^state +completed$/m);
    expect(done.stdout).toMatch(/^Verdicts that changed\nCLUSTER .*\ngone +unreachable +refused /m);
    expect(done.stdout).toMatch(/^Recorded\nCLUSTER +FACT\ngone +ClusterUnreachable$/m);
    expect(done.stdout).toMatch(
      /^Not recorded because of the mode\nCLUSTER .*\nkept +ClusterUnreachable +2026-04-15\S+ +watched@v1$/m,
    );
    expect((await fleet.factsOf('gone')).map(({ type }) => type)).toContain('cluster.unreachable');
    expect((await fleet.factsOf('kept')).map(({ type }) => type)).toEqual(['cluster.registered']);

    const [list, shown, acknowledged] = await Promise.all([
      cli(fleet, 'alerts list --kind billing-stopped-unreachable -o wide'),
      cli(fleet, 'clusters show gone'),
      cli(fleet, 'alerts acknowledge billing-stopped-unreachable:gone --note asked'),
    ]);
    expect(list.stdout).toMatch(
      /^SEVERITY .*\nwarning +\w+ +2026-04-15\S+ +billing-stopped-unreachable:gone +billing of cluster gone is stopped/,
    );
    expect(shown.stdout).toMatch(/^last verdict +unreachable \(refused\) since 2026-04-15/m);
    expect(shown.stdout).toMatch(/^status +stopped$/m);
    expect(acknowledged).toMatchObject({ code: 0, stdout: expect.stringMatching(/^state +acknowledged$/m) });
    expect(acknowledged.stdout).toMatch(/^note +asked$/m);

    for (const id of Object.keys(steady)) await fleet.becomes(id, 'refused');
    fleet.ledger.pass(300_000);
    const outage = await cli(fleet, 'validate --once');
    expect(outage).toMatchObject({ code: 0, stderr: '' });
    expect(outage.stdout).toMatch(
      /^breaker +open since 2026-04-15\S+, none of 7 clusters answers: no facts are concluded$/m,
    );

    fleet.ledger.pass(300_000);
    const json = await cli(fleet, 'validate --once --json');
    const { id } = JSON.parse(json.stdout);
    expect(JSON.parse(json.stdout)).toEqual((await fleet.ledger.get(`/v1/validations/${id}`)).body);
  });

  test('waits for a run in progress, and ends with 1 if the run is abandoned', async () => {
    const fleet = await fleetForTest(servers);
    await fleet.register({ s1: 'healthy' });
    await new TestValidator(fleet.ledger).run({}, { upTo: 'claimed' });
    const child = start(['validate', '--once', '--url', urlOf(fleet)]);
    const ended = finished(child);
    const [message] = await once(child.stderr as Readable, 'data');
    expect(message).toMatch(/^run \S+ is already in progress; waiting for it\n$/);
    fleet.ledger.pass(600_000);
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^state +abandoned$/m);
    expect(stderr).toMatch(/error: run \S+ was abandoned and has no effect: deadline\n$/);
  });
});

test('validate --once ends with 1 if no validator is configured, and with 4 if the ledger cannot be reached', async () => {
  const ledger = await ledgerForTest();
  const [rejected, absent] = await Promise.all([
    run(['validate', '--once', '--url', urlOf({ ledger })]),
    run(['validate', '--once', '--url', 'http://127.0.0.1:1']),
  ]);
  expect(rejected).toMatchObject({ code: 1, stdout: '' });
  expect(rejected.stderr).toMatch(/^error: The validator is not configured\n/);
  expect(absent).toMatchObject({ code: 4, stdout: '' });
});

const WINDOW = '--from 2026-04-01T00:00:00Z --to 2026-05-01T00:00:00Z';

describe('validate --what-if', () => {
  test('replays past runs with a policy, on a running ledger and on its store alike', async () => {
    const ledger = await ledgerForTest();
    for (const id of ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'])
      await ledger.record(registered(id, '2026-04-10T00:00:00.000Z'));
    const validator = new TestValidator(ledger);
    await validator.run();
    ledger.pass(300_000);
    await validator.run({ c1: REFUSED });
    ledger.pass(3_600_000);
    const policy = join(await folderForTest(), 'policy.yaml');
    await writeFile(policy, 'unreachableAfter: 1\nunreachableFor: 0m\nstopAfter: 0m\nversion: v2\n');
    const line = ['validate', '--what-if', policy, ...words(WINDOW), '-o', 'wide'];

    const answered = await run([...line, '--url', urlOf({ ledger })]);
    expect(answered).toMatchObject({ code: 0, stderr: '' });
    expect(answered.stdout).toMatch(/^runs replayed +2$/m);
    expect(answered.stdout).toMatch(/^acme +6 +\d+\.000 +6 +\d+\.000 +0 +-3900\.000$/m);
    expect(answered.stdout).toMatch(/^acme +c1 +2026-04-15T12:00:00\.000Z +still stopped +default@v2$/m);

    await ledger.close();
    const store = `sqlite:${join(dirname(ledger.snapshotFile), 'ledger.db')}`;
    const opened = await run([...line, '--store', store]);
    expect(opened).toMatchObject({ code: 0, stderr: '' });
    expect(opened.stdout).toMatch(/^acme +c1 +2026-04-15T12:00:00\.000Z +still stopped +default@v2$/m);
  });

  test('reports errors in a policy with the file, the line and the path', async () => {
    const ledger = await ledgerForTest();
    const folder = await folderForTest();
    const files = {
      'wrong.yaml': 'mode: enforce\nstopAfter: soon\npolicies:\n  - name: default\n    match: {}\n',
      'unknown.yaml': '# a comment\nmod: enforce\n',
      'twice.yaml': 'mode: enforce\nmode: observe\n',
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const tryPolicy = (name: string) =>
      run(['validate', '--what-if', name, ...words(WINDOW), '--url', urlOf({ ledger })], { cwd: folder });
    const [wrong, unknown, twice, absent] = await Promise.all(
      [...Object.keys(files), 'absent.yaml'].map(tryPolicy),
    );
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong?.stderr).toMatch(/^ {2}wrong\.yaml:2: stopAfter: .*must be a whole number with its unit/m);
    expect(wrong?.stderr).toMatch(/^ {2}wrong\.yaml:4: policies\[0\]\.name: .*must not be default/m);
    expect(unknown?.stderr).toMatch(/^ {2}unknown\.yaml:2: mod: /m);
    expect(twice).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/twice\.yaml is not valid YAML: .*unique/),
    });
    expect(absent).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot read absent.yaml') });
  });
});
