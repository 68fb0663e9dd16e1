import { afterAll, beforeAll, expect, test } from 'vitest';
import { kubeconfig } from '../kubernetes/probe/fleet.ts';
import { type DnsAnswer, DnsServer } from '../support/dns-server.ts';
import { eventually } from '../support/until.ts';
import { Fleet, fleetForTest } from '../support/validated-fleet.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Behaviors of running clusters seen from outside, from public reports. No bill may end by one. */
const RUNNING = {
  overloaded: 'throttled',
  'etcd-gone': 'degraded',
  'rate-limit': 'cloudflare-403',
  'load-balancer-without-backend': 'aws-503',
  'proxy-without-backend': 'bad-gateway',
  'login-page': 'redirect-to-a-login',
  'rancher-token-expired': 'rancher-unauthorized',
  'token-expired': 'unauthorized',
  'compressing-proxy': 'compressed-unasked',
  'authority-renewed': 'stranger',
  'certificate-expired': 'expired',
  'certificate-not-yet-valid': 'not-yet-valid',
  'certificate-without-the-name': 'wrong-name',
} as const;

/** Servers in credentials that keep the ledger from asking. */
const UNASKED = {
  'name-inside-a-cluster': 'https://my-vcluster.team-x.svc:443',
  'name-of-one-label': 'https://apiserver-us-1:6443',
  'address-that-is-never-asked': 'https://169.254.169.254',
} as const;

/** Behaviors in the place of clusters that are gone. */
const GONE = {
  refuses: 'refused',
  silent: 'hang-on-request',
  'silent-before-tls': 'hang-before-tls',
  resets: 'reset-on-accept',
  'another-server': 'ok-to-all',
  'another-cluster': 'another-uid',
} as const;

/** Clusters that are asked by name, and what the DNS servers of their owners answer after a while: the first one hibernates. */
const NAMED = { 'name-gone': 'NXDOMAIN', 'zone-broken': 'SERVFAIL' } as const;
const nameOf = (clusterId: string) => `${clusterId}.clusters.example.test`;

let servers: Fleet;
let dns: DnsServer;
let isAwake = true;
beforeAll(async () => {
  servers = await Fleet.start();
  const answering = ([clusterId, asleep]: [string, DnsAnswer]): [string, () => DnsAnswer] => [
    nameOf(clusterId),
    () => (isAwake ? ['127.0.0.1'] : asleep),
  ];
  dns = await DnsServer.start(Object.fromEntries(Object.entries(NAMED).map(answering)));
});
afterAll(async () => {
  await servers.stop();
  await dns.stop();
});

test('in 26 hours no bill ends by our own fault, and every bill of a cluster that is gone does', async () => {
  // Each cluster is judged on its own, so the breaker is out of the way.
  const policy = { outageMinClusters: 1_000 };
  const fleet = await fleetForTest(servers, {
    now: '2026-04-15T12:00:00.000Z',
    policy,
    // Each run lasts as long as this, because of the servers that never answer.
    probe: { dnsServers: [dns.address], deadlineMs: 3_000 },
  });
  const kept = [...Object.keys(RUNNING), ...Object.keys(UNASKED), 'credential-gone', 'credential-refused'];
  const gone = [...Object.keys(GONE), ...Object.keys(NAMED)];
  const all = [...kept, ...gone, 'steady-1', 'steady-2'];
  await fleet.register(Object.fromEntries(all.map((clusterId) => [clusterId, 'healthy'])));
  for (const clusterId of Object.keys(NAMED))
    await fleet.changeCredential(clusterId, servers.kubeconfig('healthy', { host: nameOf(clusterId) }));
  await fleet.register({ 'never-seen': 'hang-on-request' });
  // The deadline is short for a server of a busy machine, so a run may miss one. Only the outcome of the runs counts.
  await eventually(async () => expect((await fleet.run()).result.counts.alive).toBe(all.length));

  isAwake = false;

  for (const [clusterId, behavior] of Object.entries({ ...RUNNING, ...GONE }))
    await fleet.becomes(clusterId, behavior);
  for (const [clusterId, server] of Object.entries(UNASKED))
    await fleet.changeCredential(clusterId, kubeconfig({ server }, { token: 't' }));
  await fleet.changeCredential('credential-gone', undefined);
  const proxied = { server: 'https://203.0.113.1:6443', 'proxy-url': 'http://proxy.example' };
  await fleet.changeCredential('credential-refused', kubeconfig(proxied, { token: 't' }));

  for (const _ of [1, 2, 3]) {
    fleet.ledger.pass(5 * MINUTE);
    await fleet.run();
  }
  for (let hours = 0; hours < 26; hours += 6.5) {
    fleet.ledger.pass(6.5 * HOUR);
    await fleet.run();
  }
  await eventually(async () => {
    await fleet.run();
    const { items } = (await fleet.ledger.get('/v1/clusters?status=stopped&limit=100')).body;
    expect(items.map(({ clusterId }: { clusterId: string }) => clusterId)).toEqual(gone.sort());
  });
  for (const clusterId of gone) {
    const { intervals } = (await fleet.ledger.get(`/v1/clusters/${clusterId}/billing`)).body;
    expect(intervals).toMatchObject([{ to: '2026-04-15T12:00:00.000Z' }]);
  }
  // Every other one that cannot be verified is in the list to decide on, or its credential is an alert.
  const undecided = (await fleet.ledger.get('/v1/undecided?limit=100')).body.items;
  expect(undecided.map(({ clusterId }: { clusterId: string }) => clusterId)).toEqual(
    expect.arrayContaining([
      ...Object.keys(UNASKED),
      'authority-renewed',
      'never-seen',
      'credential-gone',
      'credential-refused',
    ]),
  );
  const alerts = (await fleet.alerts()).map(({ kind, subject }) => `${kind}:${subject}`);
  for (const clusterId of ['token-expired', 'rancher-token-expired', 'rate-limit'])
    expect(alerts).toContain(`credential-expired:${clusterId}`);

  isAwake = true;
  fleet.ledger.pass(5 * MINUTE);
  await eventually(async () => {
    await fleet.run();
    for (const clusterId of Object.keys(NAMED)) {
      const { intervals } = (await fleet.ledger.get(`/v1/clusters/${clusterId}/billing`)).body;
      expect(intervals.at(-1), clusterId).toMatchObject({ to: null });
    }
  });
}, 300_000);
