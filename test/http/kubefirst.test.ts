import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { registered, voided } from '../support/cloud-events.ts';
import {
  deleteCompleted,
  deleteStarted,
  heartbeat,
  installed,
  post,
  track,
  tracked,
} from '../support/kubefirst.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';

const INSTALLED_AT = '2026-04-10T08:00:00.123Z';
const SECOND = Date.parse(INSTALLED_AT) / 1000 - 0.123;
const WORKLOAD = {
  cluster_id: 'w1w1w1',
  cluster_type: 'workload-cluster',
  cloud_provider: 'civo',
  domain: 'dev.acme.example',
  parent_cluster_id: 'm1m1m1',
};
const ID = `m1m1m1.w1w1w1.-.${SECOND}`;

async function clusters(ledger: TestLedger): Promise<readonly string[]> {
  return (await ledger.get('/v1/clusters')).body.items.map(
    ({ clusterId, status }: Record<string, string>) => `${clusterId} ${status}`,
  );
}

async function refused(ledger: TestLedger): Promise<readonly string[]> {
  const { body } = await ledger.get('/v1/rejected-events');
  return body.items.map(({ problem }: { problem: { type: string } }) => problem.type.split(':').at(-1));
}

describe('telemetry', () => {
  test('registers an installed cluster at the time of the event, to the account of its management cluster', async () => {
    const ledger = await ledgerForTest();
    await track(ledger, installed(WORKLOAD));
    expect((await ledger.get(`/v1/clusters/${ID}`)).body).toMatchObject({
      status: 'billed',
      accountId: 'm1m1m1',
      name: 'w1w1w1',
      clusterType: 'workload-cluster',
      cloudProvider: 'civo',
      labels: { 'kubefirst/domain': 'dev.acme.example' },
      registeredAt: INSTALLED_AT,
      billable: true,
    });
  });

  test('records a requested deletion and ends billing', async () => {
    const ledger = await ledgerForTest();
    await track(
      ledger,
      installed(WORKLOAD),
      deleteStarted(WORKLOAD, { timestamp: '2026-04-11T10:00:00+02:00' }),
      deleteCompleted(WORKLOAD, { timestamp: '2026-04-11T08:05:00Z' }),
    );
    const { body } = await ledger.get(`/v1/clusters/${ID}/events`);
    expect(body.items.map(({ type, time }: Record<string, string>) => `${type} ${time}`)).toEqual([
      `io.clusterledger.cluster.registered.v1 ${INSTALLED_AT}`,
      'io.clusterledger.cluster.deletion-requested.v1 2026-04-11T08:00:00.000Z',
      'io.clusterledger.cluster.deleted.v1 2026-04-11T08:05:00.000Z',
      'io.clusterledger.billing.stopped.v1 2026-04-11T08:05:00.000Z',
    ]);
  });

  test('is a duplicate if sent again, with or without messageId and timestamp', async () => {
    const ledger = await ledgerForTest();
    const bare = { messageId: undefined, timestamp: undefined };
    for (const more of [{}, { messageId: undefined }, { timestamp: undefined }, bare]) {
      const install = installed({ ...WORKLOAD, cluster_id: `c${Object.keys(more).join('')}` }, more);
      const deletion = deleteCompleted(install['properties'] as Record<string, unknown>, {
        ...more,
        timestamp: undefined,
      });
      await track(ledger, install);
      const head = await ledger.head();
      ledger.pass(60_000);
      await track(ledger, install);
      expect(await ledger.head()).toBe(head);
      await track(ledger, deletion);
      const after = await ledger.head();
      ledger.pass(60_000);
      await track(ledger, deletion);
      expect([after - head, await ledger.head()]).toEqual([2, after]);
    }
    expect(await refused(ledger)).toEqual([]);
  });

  test('changes nothing when a pod restarts, and prefers an earlier installation', async () => {
    const ledger = await ledgerForTest();
    await track(ledger, installed(WORKLOAD), installed(WORKLOAD, { timestamp: '2026-04-12T08:00:00Z' }));
    expect(await clusters(ledger)).toEqual([`${ID} billed`]);
    await track(ledger, installed(WORKLOAD, { timestamp: '2026-04-09T08:00:00Z' }));
    expect((await ledger.get(`/v1/clusters/${ID}`)).body.registeredAt).toBe('2026-04-09T08:00:00.000Z');
  });

  test('registers a new cluster if one is recreated under its old id', async () => {
    const ledger = await ledgerForTest();
    await track(
      ledger,
      installed(WORKLOAD),
      deleteCompleted(WORKLOAD, { timestamp: '2026-04-11T00:00:00Z' }),
      installed(WORKLOAD, { timestamp: '2026-04-12T00:00:00Z' }),
      // A late word of the first one changes nothing about the second.
      deleteStarted(WORKLOAD, { timestamp: '2026-04-10T23:00:00Z' }),
      deleteCompleted(WORKLOAD, { timestamp: '2026-04-11T00:00:01Z' }),
    );
    expect(await clusters(ledger)).toEqual([
      `${ID} deleted`,
      `m1m1m1.w1w1w1.-.${Date.parse('2026-04-12') / 1000} billed`,
    ]);
    expect(await refused(ledger)).toEqual([]);
  });

  test('registers management and bootstrap clusters as free', async () => {
    const ledger = await ledgerForTest();
    for (const [id, cluster_type] of [
      ['aaaaaa', 'mgmt'],
      ['bbbbbb', 'bootstrap'],
    ] as const) {
      await track(
        ledger,
        installed({ cluster_id: id, cluster_type, domain: 'acme.example', parent_cluster_id: 'zzzzzz' }),
      );
    }
    expect(await clusters(ledger)).toEqual([
      `aaaaaa.aaaaaa.-.${SECOND} free`,
      `bbbbbb.bbbbbb.-.${SECOND} free`,
    ]);
  });

  test('is acknowledged and ignored if it is about anything else', async () => {
    const ledger = await ledgerForTest();
    await track(
      ledger,
      tracked('kubefirst.installed', {}),
      tracked('kubefirst.cluster_install.failed', WORKLOAD),
      tracked('kubefirst.argocd_install.started', { cluster_id: 17 }),
      heartbeat(WORKLOAD),
    );
    expect(await ledger.head()).toBe(0);
  });
});

describe('a heartbeat', () => {
  test('updates when a cluster was last seen, and appends nothing', async () => {
    const ledger = await ledgerForTest();
    await track(ledger, installed(WORKLOAD));
    const head = await ledger.head();
    ledger.pass(300_000);
    await track(ledger, heartbeat({ ...WORKLOAD, parent_cluster_id: '' }));
    const { body } = await ledger.get('/v1/sources/kubefirst');
    expect(body).toEqual({
      telemetry: { writeKeyRequired: false, events: { recorded: 1, heartbeat: 1 } },
      records: [],
      lastSeen: [{ clusterId: ID, at: '2026-04-15T12:05:00.000Z' }],
    });
    expect(await ledger.head()).toBe(head);
  });
});

describe('calls that a destination of Segment forwards', () => {
  test('are acknowledged and ignored if they are not track, such as identify', async () => {
    const ledger = await ledgerForTest();
    const identify = { type: 'identify', userId: 'customer.com', traits: { email: 'a@customer.com' } };
    const { status, text } = await post(ledger, 'track', identify);
    expect([status, text]).toEqual([200, '{"success":true}']);
    expect(await ledger.head()).toBe(0);
  });
});

describe('a heartbeat of an id that was never registered', () => {
  test('proves a cluster that nobody bills, until it is registered or silent for an hour', async () => {
    const ledger = await ledgerForTest();
    const stranger = { cluster_id: 'wl1abc', cluster_type: 'workload', domain: 'customer.com' };
    await track(ledger, heartbeat(stranger));
    ledger.pass(300_000);
    await track(ledger, heartbeat(stranger));
    const open = async () => (await ledger.get('/v1/alerts?state=open')).body.items;
    expect(await open()).toMatchObject([
      {
        id: 'running-but-unregistered:kubefirst:wl1abc',
        happened: 'kubefirst:wl1abc sends telemetry, and no cluster was registered for it',
        raisedAt: '2026-04-15T12:00:00.000Z',
        data: { source: 'telemetry', clusterType: 'workload', domain: 'customer.com' },
      },
    ]);
    ledger.pass(3_600_000);
    expect(await open()).toEqual([]);
    await track(ledger, heartbeat(stranger));
    expect(await open()).toHaveLength(1);
    await track(ledger, installed(stranger, { timestamp: '2026-04-15T12:00:00Z' }));
    expect(await open()).toEqual([]);
  });
});

describe('a write key', () => {
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

  test('is required if configured, as the user name of basic authentication', async () => {
    const writeKey = 'write-key-1';
    const ledger = await ledgerForTest({ kubefirst: { writeKey } });
    for (const headers of [
      {},
      basic(':'),
      basic('write-key-2:'),
      basic(`:${writeKey}`),
      basic(`${writeKey}x:`),
    ]) {
      for (const resource of ['track', 'batch'] as const) {
        const { status, headers: given, text } = await post(ledger, resource, installed(WORKLOAD), headers);
        expect([status, given.get('www-authenticate')]).toEqual([
          401,
          'Basic realm="cluster-ledger", charset="UTF-8"',
        ]);
        expect(text).not.toContain(writeKey);
      }
    }
    expect(
      (await post(ledger, 'track', installed(WORKLOAD), { authorization: `Bearer ${writeKey}` })).status,
    ).toBe(401);
    expect(await ledger.head()).toBe(0);
    expect((await post(ledger, 'track', installed(WORKLOAD), basic(`${writeKey}:`))).status).toBe(200);
    expect((await post(ledger, 'batch', { batch: [] }, basic(writeKey))).status).toBe(200);
    expect(await clusters(ledger)).toEqual([`${ID} billed`]);
    expect((await ledger.get('/v1/sources/kubefirst')).body.telemetry.writeKeyRequired).toBe(true);
    expect((await ledger.get('/v1/sources/kubefirst')).text).not.toContain(writeKey);
  });
});

test('telemetry about the distant past is kept as a rejected event', async () => {
  const ledger = await ledgerForTest();
  await track(ledger, installed(WORKLOAD, { timestamp: '2026-01-01T00:00:00Z' }));
  await track(ledger, installed(WORKLOAD, { timestamp: '2026-04-15T12:06:00Z' }));
  expect(await refused(ledger)).toEqual(['effective-in-future', 'backdated-too-far']);
  const { items } = (await ledger.get('/v1/rejected-events')).body;
  const retried = await ledger.fetch(`/v1/rejected-events/${items[1].id}/retry`, { method: 'POST' });
  expect(retried.status).toBe(201);
});

describe('a deletion that matches several clusters', () => {
  const twin = { ...WORKLOAD, parent_cluster_id: 'm2m2m2', domain: 'dev.globex.example' };

  test('is narrowed by its management cluster, or by its domain', async () => {
    const ledger = await ledgerForTest();
    await track(ledger, installed(WORKLOAD), installed(twin));
    await track(ledger, deleteCompleted({ ...twin, parent_cluster_id: '' }));
    await track(ledger, deleteCompleted({ cluster_id: 'w1w1w1', parent_cluster_id: 'm1m1m1' }));
    expect(await clusters(ledger)).toEqual([`${ID} deleted`, `m2m2m2.w1w1w1.-.${SECOND} deleted`]);
  });

  test('is kept as a rejected event until an operator posts the right one', async () => {
    const ledger = await ledgerForTest();
    await track(ledger, installed(WORKLOAD), installed(twin), deleteCompleted({ cluster_id: 'w1w1w1' }));
    expect(await clusters(ledger)).toEqual([`${ID} billed`, `m2m2m2.w1w1w1.-.${SECOND} billed`]);
    const [kept] = (await ledger.get('/v1/rejected-events')).body.items;
    expect(kept.problem.detail).toBe(
      `w1w1w1 matches ${ID}, m2m2m2.w1w1w1.-.${SECOND}; post the fact with the id of one of them`,
    );
    const retried = await ledger.fetch(`/v1/rejected-events/${kept.id}/retry`, { method: 'POST' });
    expect([retried.status, retried.body.type]).toEqual([
      422,
      'urn:cluster-ledger:problem:cluster-ambiguous',
    ]);
  });

  test('is kept as a rejected event if no cluster matches', async () => {
    const ledger = await ledgerForTest();
    await track(ledger, deleteCompleted({ cluster_id: 'nobody' }));
    expect(await refused(ledger)).toEqual(['cluster-unknown']);
    expect(await clusters(ledger)).toEqual([]);
  });
});

describe('a batch', () => {
  test('is processed in the order of its timestamps, and calls of other kinds are ignored', async () => {
    const ledger = await ledgerForTest();
    const batch = [
      { type: 'identify', userId: 'machine-1', messageId: 'i1' },
      deleteCompleted(WORKLOAD, { timestamp: '2026-04-11T00:00:00Z' }),
      installed(WORKLOAD),
    ];
    const { status, text } = await post(ledger, 'batch', {
      messageId: 'b1',
      sentAt: INSTALLED_AT,
      batch,
      context: {},
    });
    expect([status, text]).toEqual([200, '{"success":true}']);
    expect(await clusters(ledger)).toEqual([`${ID} deleted`]);
  });

  test('may be compressed with gzip, up to the same size', async () => {
    const ledger = await ledgerForTest();
    const gzip = { 'content-encoding': 'gzip' };
    const packed = (value: unknown) => gzipSync(JSON.stringify(value));
    expect((await post(ledger, 'batch', packed({ batch: [installed(WORKLOAD)] }), gzip)).status).toBe(200);
    expect(await clusters(ledger)).toEqual([`${ID} billed`]);
    const bomb = packed({ batch: [], padding: 'x'.repeat(8_000_000) });
    expect((await post(ledger, 'batch', bomb, gzip)).status).toBe(413);
    expect((await post(ledger, 'batch', Buffer.from('{"batch":[]}'), gzip)).status).toBe(400);
    expect((await post(ledger, 'batch', packed([]), { 'content-encoding': 'br' })).status).toBe(415);
    expect((await post(ledger, 'track', { event: 'x', padding: 'x'.repeat(33_000) })).status).toBe(413);
  });

  test("may be posted to the path that Segment's libraries append to the configured address", async () => {
    const ledger = await ledgerForTest();
    for (const [resource, body] of [
      ['batch', { batch: [installed(WORKLOAD)] }],
      ['track', deleteCompleted(WORKLOAD, { timestamp: '2026-04-11T00:00:00Z' })],
    ] as const) {
      expect((await post(ledger, `v1/${resource}`, body)).text).toBe('{"success":true}');
    }
    expect(await clusters(ledger)).toEqual([`${ID} deleted`]);
  });

  test('records its valid events and names the invalid field of the others', async () => {
    const ledger = await ledgerForTest();
    const batch = [
      installed({ ...WORKLOAD, cluster_id: 'no id' }),
      installed(WORKLOAD),
      { type: 'track', properties: {} },
      { ...heartbeat(WORKLOAD), padding: 'x'.repeat(33_000) },
      installed(WORKLOAD, { timestamp: 'yesterday' }),
    ];
    const { status, body } = await post(ledger, 'batch', { batch });
    expect(status).toBe(400);
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/batch/0/properties/cluster_id',
      '/batch/2/event',
      '/batch/3',
      '/batch/4/timestamp',
    ]);
    expect(await clusters(ledger)).toEqual([`${ID} billed`]);
    expect((await post(ledger, 'batch', { batch: [batch[1]] })).status).toBe(200);
  });

  test('is rejected if it is not an array', async () => {
    const ledger = await ledgerForTest();
    for (const body of [{}, [], 'x', { batch: {} }, null])
      expect((await post(ledger, 'batch', body)).status).toBe(400);
    for (const body of [{}, [], 'x', { event: '' }])
      expect((await post(ledger, 'track', body)).status).toBe(400);
  });
});

test('any posted telemetry is accepted or rejected, never answered with 500', async () => {
  const ledger = await ledgerForTest();
  const key = fc.constantFrom(
    'event',
    'properties',
    'messageId',
    'timestamp',
    'batch',
    'type',
    'cluster_id',
    'domain',
  );
  const value = fc.constantFrom<unknown>(
    'kubefirst.cluster_install.completed',
    'kubefirst.cluster_delete.completed',
    'kubefirst.heartbeat',
    'track',
    'w1w1w1',
    '2026-04-10T08:00:00Z',
    '\u0000',
    '',
    null,
    1e300,
    [],
  );
  const body = fc.object({ key, values: [value], maxDepth: 3 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('track' as const, 'batch' as const), body, async (resource, posted) => {
      const whole =
        resource === 'batch' ? { batch: [posted, { ...posted, event: 'kubefirst.heartbeat' }] } : posted;
      expect([200, 400]).toContain((await post(ledger, resource, whole)).status);
    }),
    { numRuns: 300 },
  );
});

test('telemetry fields that the ledger does not need are stored nowhere', async () => {
  const ledger = await ledgerForTest();
  const canary = 'CANARY-9f3c';
  const secrets = { aws_auth: { secret_access_key: canary }, token: canary, kbot_password: canary };
  const more = { userId: canary, context: { traits: canary }, ...secrets };
  const answers = [
    await post(ledger, 'track', installed({ ...WORKLOAD, ...secrets }, more)),
    await post(ledger, 'track', deleteCompleted({ ...WORKLOAD, ...secrets, cluster_id: 'nobody' }, more)),
    await post(ledger, 'track', installed({ ...WORKLOAD, ...secrets, cluster_id: `${canary} ` }, more)),
    await post(ledger, 'track', { ...installed({}), properties: canary }),
    await post(ledger, 'track', { event: { [canary]: canary } }),
    await post(ledger, 'batch', { batch: [heartbeat(secrets, more)], ...secrets }),
    await ledger.get('/v1/clusters'),
    await ledger.get('/v1/rejected-events'),
    await ledger.get('/v1/feed?after=0'),
    await ledger.get('/v1/sources/kubefirst'),
    await ledger.get('/metrics'),
  ];
  expect(answers.map(({ status }) => status)).toEqual([
    200, 200, 400, 400, 400, 400, 200, 200, 200, 200, 200,
  ]);
  for (const { text } of answers) expect(text).not.toContain(canary);
  const folder = dirname(ledger.snapshotFile);
  await ledger.close();
  for (const file of await readdir(folder)) {
    expect((await readFile(join(folder, file))).includes(canary), file).toBe(false);
  }
  await ledger.open();
});

describe('the usage of an account as the billing page of Kubefirst Pro reads it', () => {
  const page = (ledger: TestLedger, period = '2026-04') =>
    ledger.get(`/v1/sources/kubefirst/cluster-usage?accountId=m1m1m1&period=${period}`);

  test('lists each cluster of the period with its hours', async () => {
    const ledger = await ledgerForTest();
    await track(
      ledger,
      installed({ cluster_id: 'm1m1m1', cluster_type: 'mgmt', domain: 'acme.example' }),
      installed(WORKLOAD),
      deleteCompleted(WORKLOAD, { timestamp: '2026-04-11T08:00:00.123Z' }),
    );
    expect((await page(ledger)).body).toEqual([
      {
        clusterName: 'm1m1m1',
        clusterID: 'm1m1m1',
        clusterType: 'mgmt',
        isActive: true,
        domainName: 'acme.example',
        environment: null,
        createdAt: INSTALLED_AT,
        deletedAt: null,
        hours: '0.000000',
        total: null,
      },
      {
        clusterName: 'w1w1w1',
        clusterID: 'w1w1w1',
        clusterType: 'workload-cluster',
        isActive: false,
        domainName: 'dev.acme.example',
        environment: null,
        createdAt: INSTALLED_AT,
        deletedAt: '2026-04-11T08:00:00.123Z',
        hours: '24.000000',
        total: null,
      },
    ]);
    for (const period of ['2026-03', '2026-05']) expect((await page(ledger, period)).body).toEqual([]);
  });

  test('has totals if a price is configured', async () => {
    const ledger = await ledgerForTest({ kubefirst: { pricePerHour: '0.1255', accountId: 'm1m1m1' } });
    await track(
      ledger,
      installed(WORKLOAD),
      deleteCompleted(WORKLOAD, { timestamp: '2026-04-10T18:00:00.123Z' }),
    );
    // 10 hours are 1.255, which lies between 1.25 and 1.26: half to even.
    expect((await page(ledger)).body).toMatchObject([{ hours: '10.000000', total: '1.26' }]);
  });

  test('adds up to the cluster-seconds of the account, except for the rounding of each line', async () => {
    const ledger = await ledgerForTest();
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    for (const [i, id] of ids.entries()) {
      const at = new Date(Date.parse('2026-03-28T00:00:00Z') + i * 90_061_007).toISOString();
      await ledger.record(registered(id, at, 'm1m1m1'));
    }
    const [last] = (await ledger.get('/v1/clusters/g/events')).body.items;
    await ledger.record(voided('g', '2026-04-01T00:00:00.000Z', last.ledgereventid));
    const { body } = await page(ledger);
    const micro = body.reduce(
      (sum: bigint, { hours }: { hours: string }) => sum + BigInt(hours.replace('.', '')),
      0n,
    );
    const { usage } = (await ledger.get('/v1/accounts/m1m1m1/usage?period=2026-04')).body;
    const exact = (BigInt(usage.clusterSeconds.replace('.', '')) * 1_000_000n) / 3_600_000n;
    const off = micro > exact ? micro - exact : exact - micro;
    expect(body).toHaveLength(6);
    expect(off <= BigInt(ids.length)).toBe(true);
    expect((await page(ledger, '2026-13')).status).toBe(400);
    expect((await ledger.get('/v1/sources/kubefirst/cluster-usage?accountId=x&period=2026-04')).status).toBe(
      404,
    );
  });
});
