import { afterAll, beforeAll, expect, test } from 'vitest';
import { kubeconfig } from '../kubernetes/probe/fleet.ts';
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
} as const;

let servers: Fleet;
beforeAll(async () => {
  servers = await Fleet.start();
});
afterAll(() => servers.stop());

test('in 26 hours no bill ends by our own fault, and every bill of a cluster that is gone does', async () => {
  // Each cluster is judged on its own, so the breaker is out of the way.
  const policy = { outageMinClusters: 1_000 };
  const fleet = await fleetForTest(servers, { now: '2026-04-15T12:00:00.000Z', policy });
  const kept = [...Object.keys(RUNNING), ...Object.keys(UNASKED), 'credential-gone', 'credential-refused'];
  const all = [...kept, ...Object.keys(GONE), 'steady-1', 'steady-2'];
  await fleet.register(Object.fromEntries(all.map((clusterId) => [clusterId, 'healthy'])));
  expect((await fleet.run()).result.counts.alive).toBe(all.length);

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
  const { items } = (await fleet.ledger.get('/v1/clusters?limit=100')).body;
  const stopped = items
    .filter(({ status }: { status: string }) => status === 'stopped')
    .map(({ clusterId }: { clusterId: string }) => clusterId);
  expect(stopped).toEqual(Object.keys(GONE).sort());
  for (const clusterId of stopped) {
    const { intervals } = (await fleet.ledger.get(`/v1/clusters/${clusterId}/billing`)).body;
    expect(intervals).toMatchObject([{ to: '2026-04-15T12:00:00.000Z' }]);
  }
  // Every other one that cannot be verified is in the list to decide on, or its credential is an alert.
  const undecided = (await fleet.ledger.get('/v1/undecided?limit=100')).body.items;
  expect(undecided.map(({ clusterId }: { clusterId: string }) => clusterId)).toEqual(
    expect.arrayContaining([
      ...Object.keys(UNASKED),
      'authority-renewed',
      'credential-gone',
      'credential-refused',
    ]),
  );
  const alerts = (await fleet.alerts()).map(({ kind, subject }) => `${kind}:${subject}`);
  for (const clusterId of ['token-expired', 'rancher-token-expired', 'rate-limit'])
    expect(alerts).toContain(`credential-expired:${clusterId}`);
}, 300_000);
