import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { CloudEvent, HTTP } from 'cloudevents';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  BATCH,
  deleted,
  event,
  inBinaryMode,
  inStructuredMode,
  type PostedEvent,
  registered,
  STRUCTURED,
} from '../support/cloud-events.ts';
import { type Answer, ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { requestWith } from '../support/raw-http.ts';

/** Events as libraries and languages write them by default are recorded, and no event that is refused is lost. */

const APRIL = '2026-04-01T00:00:00.000Z';
const run = promisify(execFile);

async function factsOf(ledger: TestLedger, clusterId: string): Promise<Record<string, unknown>[]> {
  return (await ledger.get(`/v1/clusters/${clusterId}/events`)).body.items;
}

async function rejected(ledger: TestLedger) {
  return (await ledger.get('/v1/rejected-events')).body.items;
}

describe('a time as clocks print it by default', () => {
  test.each([
    ['Go, time.Time in JSON and RFC3339Nano', '2026-04-14T21:11:51.51486378Z', '2026-04-14T21:11:51.514Z'],
    ['Go, a whole second', '2026-04-14T21:11:51Z', '2026-04-14T21:11:51.000Z'],
    ['Go, a local time', '2026-04-14T23:11:51.999999999+02:00', '2026-04-14T21:11:51.999Z'],
    ['Python, datetime.isoformat()', '2026-04-14T21:11:07.688797+00:00', '2026-04-14T21:11:07.688Z'],
    ['Python, without microseconds', '2026-04-14T21:11:07+00:00', '2026-04-14T21:11:07.000Z'],
    ['Java, Instant', '2026-04-14T21:11:58.131197542Z', '2026-04-14T21:11:58.131Z'],
    ['Java, OffsetDateTime', '2026-04-14T23:11:58.1311975+02:00', '2026-04-14T21:11:58.131Z'],
    ['.NET, DateTime "o"', '2026-04-14T21:11:58.1311975Z', '2026-04-14T21:11:58.131Z'],
    ['.NET, DateTimeOffset "o"', '2026-04-14T21:11:58.1311975+00:00', '2026-04-14T21:11:58.131Z'],
    ['Rust, chrono', '2026-04-14T21:11:58.131197542+00:00', '2026-04-14T21:11:58.131Z'],
    ['JavaScript', '2026-04-14T21:11:58.131Z', '2026-04-14T21:11:58.131Z'],
    ['RFC 3339 in lower case', '2026-04-14t21:11:58z', '2026-04-14T21:11:58.000Z'],
  ])('is recorded: %s', async (_, time, recorded) => {
    const ledger = await ledgerForTest();
    expect((await ledger.post(deleted('c1', time))).status).toBe(201);
    expect((await factsOf(ledger, 'c1'))[0]).toMatchObject({ time: recorded });
    expect((await ledger.postBinary(deleted('c2', time))).status).toBe(201);
  });

  test('makes no other event of a retry whose library prints the same time otherwise', async () => {
    const ledger = await ledgerForTest();
    const posted = registered('c1', '2026-04-14T21:11:51.514863Z');
    const first = await ledger.post(posted);
    for (const time of ['2026-04-14T21:11:51.514Z', '2026-04-14T23:11:51.5148+02:00'])
      expect(await ledger.post({ ...posted, time })).toMatchObject({
        status: 200,
        body: { outcome: 'duplicate', eventId: first.body.eventId },
      });
  });
});

/** Programs that print the current time as their language does by default. */
const CLOCKS: readonly [
  language: string,
  command: string,
  args: readonly string[],
  file?: string,
  text?: string,
][] = [
  ['Python', 'python3', ['-c', 'import datetime as d;print(d.datetime.now(d.timezone.utc).isoformat())']],
  [
    'Go',
    'go',
    ['run', 'clock.go'],
    'clock.go',
    'package main\nimport ("encoding/json";"os";"time")\nfunc main() { t, _ := json.Marshal(time.Now().UTC()); os.Stdout.Write(t[1:len(t)-1]) }\n',
  ],
  [
    'Java',
    'java',
    ['Clock.java'],
    'Clock.java',
    'public class Clock { public static void main(String[] a) { System.out.print(java.time.Instant.now()); } }\n',
  ],
  [
    '.NET',
    'dotnet',
    ['run', 'clock.cs'],
    'clock.cs',
    '#:property PublishAot=false\nSystem.Console.Write(System.Text.Json.JsonSerializer.Serialize(System.DateTimeOffset.Now).Trim((char)34));\n',
  ],
];

describe.each(CLOCKS)('the clock of %s', (language, command, args, file, text) => {
  const canRun = spawnSync(command, ['--help']).error === undefined;
  const why = canRun ? '' : `, NOT RUN: ${language} is not installed`;

  test.skipIf(!canRun)(`is understood${why}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'clock-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    if (file !== undefined) await writeFile(join(folder, file), text as string);
    const settings = [
      'GO111MODULE=off',
      `GOCACHE=${folder}/cache`,
      `DOTNET_CLI_HOME=${folder}`,
      'DOTNET_NOLOGO=1',
    ];
    const { stdout } = await run('env', [...settings, command, ...args], { cwd: folder });
    const ledger = await ledgerForTest({ now: new Date(Date.now() + 60_000).toISOString() });
    const answer = await ledger.post(registered('c1', stdout.trim()));
    expect(answer.status, `${stdout} ${answer.text}`).toBe(201);
  });
});

describe('an event in a form that the CloudEvents SDK writes', () => {
  const attributes = {
    source: '/pro/clusters',
    type: 'io.clusterledger.cluster.registered.v1',
    subject: 'c1',
    time: APRIL,
  };
  const data = { accountId: 'acme', name: 'Zürich' };
  const send = (ledger: TestLedger, { headers, body }: ReturnType<typeof HTTP.structured>): Promise<Answer> =>
    ledger.send({ headers: headers as Record<string, string>, body: body as string });

  test.each(['structured', 'binary'] as const)(
    'is recorded with data in a Buffer, in %s mode',
    async (mode) => {
      const ledger = await ledgerForTest();
      const buffered = Buffer.from(JSON.stringify(data));
      const sent = new CloudEvent({ ...attributes, datacontenttype: 'application/json', data: buffered });
      const answer = await send(ledger, HTTP[mode](sent));
      expect(answer.status, answer.text).toBe(201);
      expect((await factsOf(ledger, 'c1'))[0]).toMatchObject({ data });
    },
  );

  test('is recorded with an extension that is null', async () => {
    const ledger = await ledgerForTest();
    const sent = new CloudEvent({ ...attributes, data, traceparent: null }, false);
    const answer = await send(ledger, HTTP.structured(sent));
    expect(answer.status, answer.text).toBe(201);
    expect(answer.body).toBeDefined();
    expect((await factsOf(ledger, 'c1'))[0]).not.toHaveProperty('traceparent');
  });

  test('is recorded in binary mode without data', async () => {
    const ledger = await ledgerForTest();
    const sent = HTTP.binary(new CloudEvent({ ...attributes, type: 'io.clusterledger.cluster.deleted.v1' }));
    expect(sent.headers).toHaveProperty('content-type');
    const message = { path: '/v1/events', method: 'POST', headers: sent.headers as Record<string, string> };
    for (const body of [undefined, '']) {
      const answer = await requestWith(ledger.port, message, body);
      expect(JSON.parse(answer.body).outcome, answer.body).toMatch(/^(appended|duplicate)$/);
    }
  });
});

describe('an event', () => {
  test('may have attributes and data that are null, which means that they are absent', async () => {
    const ledger = await ledgerForTest();
    const absent = { dataschema: null, datacontenttype: null, traceid: null, data_base64: null };
    expect((await ledger.post(registered('c1', APRIL, 'acme', {}))).status).toBe(201);
    expect((await ledger.post({ ...deleted('c1', APRIL), ...absent, data: null } as never)).status).toBe(201);
    const { body } = await ledger.postBatch([{ ...registered('c2', APRIL), ...absent }]);
    expect(body.results).toMatchObject([{ outcome: 'appended' }]);
    expect(
      (
        await ledger.send({
          ...inBinaryMode(deleted('c3', APRIL)),
          body: 'null',
          headers: { ...inBinaryMode(deleted('c3', APRIL)).headers, 'content-type': 'application/json' },
        })
      ).status,
    ).toBe(201);
  });

  test('may have its data in base64, and is then the same event', async () => {
    const ledger = await ledgerForTest();
    const { data, ...posted } = registered('c1', APRIL);
    const encoded = Buffer.from(JSON.stringify(data)).toString('base64');
    expect((await ledger.post({ ...posted, data_base64: encoded })).status).toBe(201);
    expect(await ledger.post({ ...posted, data } as PostedEvent)).toMatchObject({
      status: 200,
      body: { outcome: 'duplicate' },
    });
  });

  test.each(['application/json; charset="utf-8"', 'application/json;charset=UTF-8', 'Application/JSON'])(
    'may have the content type %s',
    async (datacontenttype) => {
      const ledger = await ledgerForTest();
      expect((await ledger.post({ ...registered('c1', APRIL), datacontenttype })).status).toBe(201);
      const { headers, body } = inBinaryMode(registered('c2', APRIL));
      const answer = await ledger.send({
        headers: { ...headers, 'content-type': datacontenttype },
        body: body as string,
      });
      expect(answer.status, answer.text).toBe(201);
    },
  );

  test('may have extension attributes with names of any length', async () => {
    const ledger = await ledgerForTest();
    const name = `knative${'x'.repeat(60)}`;
    expect((await ledger.post({ ...registered('c1', APRIL), [name]: 'a' })).status).toBe(201);
    expect((await ledger.postBinary({ ...registered('c2', APRIL), [name]: 'a' })).status).toBe(201);
    expect((await factsOf(ledger, 'c2'))[0]).toMatchObject({ [name]: 'a' });
  });

  test('gets a problem that says so if its type is of a later version, and is kept', async () => {
    const ledger = await ledgerForTest();
    const posted = { ...deleted('c1', APRIL), type: 'io.clusterledger.cluster.deleted.v2' };
    const { status, body } = await ledger.post(posted);
    expect(status).toBe(400);
    expect(body.errors).toEqual([
      {
        pointer: '/type',
        detail: expect.stringContaining('knows io.clusterledger.cluster.deleted.v1, not its version 2'),
      },
    ]);
    expect(await rejected(ledger)).toMatchObject([{ clusterId: 'c1', event: posted }]);
  });
});

describe('a body with a content coding', () => {
  const body = JSON.stringify(registered('c1', APRIL));
  const headers = (coding: string) => ({ 'content-type': STRUCTURED, 'content-encoding': coding });

  test.each(['gzip', 'x-gzip', 'GZIP', 'identity, gzip'])('%s is decompressed', async (coding) => {
    const ledger = await ledgerForTest();
    const answer = await ledger.send({ headers: headers(coding), body: new Uint8Array(gzipSync(body)) });
    expect(answer.status, answer.text).toBe(201);
  });

  test.each(['br', 'deflate', 'zstd', 'gzip, gzip', 'nonsense'])(
    '%s gets 415 and Accept-Encoding',
    async (coding) => {
      const ledger = await ledgerForTest();
      const answer = await ledger.send({ headers: headers(coding), body });
      expect(answer.status, answer.text).toBe(415);
      expect(answer.headers.get('accept-encoding')).toBe('gzip');
      expect(await ledger.head()).toBe(0);
    },
  );

  test('gzip that is too large when decompressed is refused', async () => {
    const ledger = await ledgerForTest();
    const bomb = new Uint8Array(gzipSync(Buffer.alloc(8 * 1024 * 1024, ' ')));
    expect(bomb.length).toBeLessThan(100_000);
    expect((await ledger.send({ headers: headers('gzip'), body: bomb })).status).toBe(413);
  });

  test('is also read by the resources for people', async () => {
    const ledger = await ledgerForTest();
    const answer = await ledger.fetch('/v1/clusters/c1', {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: new Uint8Array(gzipSync(JSON.stringify({ accountId: 'acme', name: 'n', effectiveAt: APRIL }))),
    });
    expect(answer.status, answer.text).toBe(201);
  });
});

describe('a well-formed event of the ledger that is refused with 400', () => {
  const wrong = { ...registered('c1', APRIL), data: { accountId: 'acme', name: 'n', price: 7 } };

  test('is kept as it was posted, in every mode, and raises an alert', async () => {
    const ledger = await ledgerForTest();
    const early = { ...deleted('c2', 'yesterday') };
    const old = { ...deleted('c3', APRIL), specversion: '0.3' };
    expect((await ledger.post(wrong)).status).toBe(400);
    expect((await ledger.postBinary(early)).status).toBe(400);
    const { body } = await ledger.postBatch([old]);
    expect(body.results[0].problem).toMatchObject({ status: 400, instance: expect.any(String) });
    const kept = await rejected(ledger);
    expect(kept).toMatchObject([
      { clusterId: 'c3', event: old, problem: { status: 400, errors: [{ pointer: '/specversion' }] } },
      { clusterId: 'c2', event: early, problem: { status: 400, errors: [{ pointer: '/time' }] } },
      { clusterId: 'c1', event: wrong, problem: { status: 400, errors: [{ pointer: '/data/price' }] } },
    ]);
    const { items } = (await ledger.get('/v1/alerts')).body;
    expect(items.filter(({ kind }: { kind: string }) => kind === 'event-rejected')).toHaveLength(3);
    expect((await ledger.get('/metrics')).text).toMatch(
      /ledger_events_total\{type="ClusterDeleted",outcome="rejected"\} 2/,
    );
  });

  test('is no longer an alert when its producer posts it rightly', async () => {
    const ledger = await ledgerForTest();
    await ledger.post(wrong);
    await ledger.post({ ...registered('c1', APRIL), id: wrong.id });
    expect((await ledger.get('/v1/alerts')).body.items).toMatchObject([{ state: 'resolved' }]);
  });

  test('is kept once, however often it is posted', async () => {
    const ledger = await ledgerForTest();
    for (let i = 0; i < 3; i++) await ledger.post(wrong);
    await ledger.reopen();
    await ledger.post(wrong);
    expect(await rejected(ledger)).toHaveLength(1);
  });

  test('can be retried, which says again what is wrong', async () => {
    const ledger = await ledgerForTest();
    await ledger.post(wrong);
    const [{ id }] = await rejected(ledger);
    const again = await ledger.fetch(`/v1/rejected-events/${id}/retry`, { method: 'POST' });
    expect(again).toMatchObject({ status: 400, body: { errors: [{ pointer: '/data/price' }] } });
  });

  test.each([
    ['a number that would be changed', '{"n":9007199254740993}'],
    ['a key that stands twice', '{"n":1,"n":2}'],
    ['nesting that is too deep', `{"n":${'['.repeat(40)}${']'.repeat(40)}}`],
  ])('is kept with its text if its evidence has %s', async (_, evidence) => {
    const ledger = await ledgerForTest();
    const posted = event('cluster.unreachable', 'c1', APRIL, { evidence: { n: 4711 } });
    const { headers, body } = inStructuredMode(posted);
    const text = (body as string).replace('{"n":4711}', evidence);
    expect((await ledger.send({ headers, body: text })).status).toBe(400);
    const { data: _data, ...attributes } = posted;
    expect(await rejected(ledger)).toMatchObject([{ clusterId: 'c1', event: attributes, text }]);
  });

  test('does not spoil a batch, even if its JSON cannot be accepted', async () => {
    const ledger = await ledgerForTest();
    const good = [registered('c1', APRIL), registered('c2', APRIL), registered('c3', APRIL)].map((each) =>
      JSON.stringify(each),
    );
    const bad = JSON.stringify(event('cluster.unreachable', 'c4', APRIL, { evidence: { n: 4711 } }));
    const twice = bad.replace('4711', '1,"n":2');
    const deep = bad.replace('4711', `${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    const large = bad.replace('4711', `"${'x'.repeat(300_000)}"`);
    const body = `[${[good[0], twice, good[1], deep, large, good[2]].join(',')}]`;
    const answer = await ledger.send({ headers: { 'content-type': BATCH }, body });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body.results).toMatchObject([
      { outcome: 'appended' },
      { outcome: 'rejected', problem: { status: 400, errors: [{ pointer: '/data/evidence/n' }] } },
      { outcome: 'appended' },
      { outcome: 'rejected', problem: { status: 400 } },
      { outcome: 'rejected', problem: { status: 413 } },
      { outcome: 'appended' },
    ]);
    expect((await rejected(ledger)).length).toBeGreaterThan(0);
  });

  test('is kept in part if it is too large', async () => {
    const ledger = await ledgerForTest();
    const large = event('cluster.unreachable', 'c1', APRIL, { evidence: { log: 'ü'.repeat(60_000) } });
    expect((await ledger.post(large)).status).toBe(413);
    const [kept] = await rejected(ledger);
    expect(kept).toMatchObject({ clusterId: 'c1', problem: { status: 413 }, event: { id: large.id } });
    expect(kept.text.length).toBeGreaterThan(4_000);
    const again = await ledger.fetch(`/v1/rejected-events/${kept.id}/retry`, { method: 'POST' });
    expect(again.status).toBe(413);
  });

  test('is kept without the credentials that a producer posted by mistake', async () => {
    const ledger = await ledgerForTest();
    const secrets = [
      'eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl',
      '-----BEGIN KEY-----\nabcdefgh\n-----END KEY-----',
      'hunter2hunter2',
    ];
    const data = {
      accountId: 'acme',
      name: 'n',
      connection: secrets[0],
      kubeconfig: secrets[1],
      token: secrets[2],
    };
    expect((await ledger.post({ ...registered('c1', APRIL), data })).status).toBe(400);
    const [kept] = await rejected(ledger);
    expect(kept).toMatchObject({ clusterId: 'c1', event: { data: { accountId: 'acme' } } });
    for (const secret of secrets) expect(JSON.stringify(kept)).not.toContain(secret.slice(-8));
  });

  test.each([
    ['no id', { id: undefined }],
    ['a type of somebody else', { type: 'com.example.thing' }],
    ['no source', { source: null }],
  ])('is not what an event with %s is, which leaves no trace', async (_, change) => {
    const ledger = await ledgerForTest();
    expect((await ledger.post({ ...registered('c1', APRIL), ...change } as never)).status).toBe(400);
    expect(await ledger.head()).toBe(0);
  });
});
