import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startProxy, type TcpProxy } from '../../eventstoredb/tcp-proxy.ts';
import { hasKubeApiserver, KubeApiserver, NO_KUBE_APISERVER } from '../../support/kube-apiserver.ts';
import { managementRecord, recordData, workloadRecord } from '../../support/kubefirst.ts';
import { KubernetesApi } from '../../support/kubernetes-api.ts';
import { ledgerForTest, type TestLedger } from '../../support/ledger.ts';
import { until } from '../../support/until.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NAMES = ['us', 'eu', 'ap'] as const;
type Name = (typeof NAMES)[number];
const WORKLOADS = ['a', 'b', 'c'] as const;

const idOf = (name: Name) => `${name}mgmt`;
const clusterOf = (name: Name, workload: string) =>
  `${idOf(name)}.${name}${workload}${workload}.${workload}.1769850000`;

const where = hasKubeApiserver() ? 'a real kube-apiserver' : NO_KUBE_APISERVER;

/** Namespaces of one API server stand for the management clusters, each reached by a network of its own. */
describe.skipIf(!hasKubeApiserver())(`three management clusters in ${where}`, () => {
  let server: KubeApiserver;
  let api: KubernetesApi;
  const networks = new Map<Name, TcpProxy>();
  beforeAll(async () => {
    server = await KubeApiserver.start();
    api = await KubernetesApi.open(server);
    for (const name of NAMES) {
      networks.set(name, await startProxy(server.port));
      for (const namespace of [`kubefirst-${name}`, `argocd-${name}`]) await api.namespace(namespace);
      await api.createSecret(`kubefirst-${name}`, 'kubefirst-clusters', recordData({ list: [name] }));
      await api.createSecret(`kubefirst-${name}`, `kubefirst-cluster-${name}`, recordOf(name, WORKLOADS));
      for (const workload of WORKLOADS) await api.createSecret(`argocd-${name}`, workload, argocd(), LABEL);
    }
  });
  afterAll(async () => {
    for (const network of networks.values()) await network.close();
    await api?.close();
    await server?.remove();
  });

  const LABEL = { labels: { 'argocd.argoproj.io/secret-type': 'cluster' } };
  const argocd = () => ({
    name: 'workload',
    server: server.url,
    config: JSON.stringify({
      bearerToken: server.adminToken,
      tlsClientConfig: { caData: Buffer.from(server.authority.cert).toString('base64') },
    }),
  });
  const recordOf = (name: Name, workloads: readonly string[]) =>
    recordData(
      managementRecord(
        'SECRET',
        workloads.map((workload) => workloadRecord(workload, `${name}${workload}${workload}`)),
        { cluster_id: idOf(name), cluster_name: name, domain_name: `${name}.example` },
      ),
    );

  async function openLedger(): Promise<TestLedger> {
    const managementClusters: Record<string, object> = {};
    for (const name of NAMES) {
      const kubeconfig = await api.kubeconfigFile(server.adminToken, networks.get(name)?.port);
      managementClusters[name] = { kubeconfig, argocd: { namespaces: [`argocd-${name}`] } };
    }
    const connection = 'argocd:{records}/argocd-{records}/{name}';
    return ledgerForTest({
      now: new Date(Date.now() + HOUR).toISOString(),
      kubefirst: {
        connection,
        records: NAMES.map((name) => ({ name, namespace: `kubefirst-${name}` })),
      },
      environment: {
        LEDGER_VALIDATOR_SCHEDULE: 'off',
        LEDGER_VALIDATOR_CREDENTIALS: JSON.stringify({ managementClusters }),
        LEDGER_VALIDATOR_PROBE: JSON.stringify({
          // Long enough for a server that answers, however slow this machine is.
          deadlineMs: 60_000,
          perHost: { perSecond: 1_000, burst: 1_000 },
          addresses: { allow: ['127.0.0.0/8'] },
        }),
      },
    });
  }

  async function validate(ledger: TestLedger, ms = 5 * MINUTE): Promise<void> {
    ledger.pass(ms);
    const begun = await ledger.rooms.validator?.job.request('test');
    await until(() => ledger.rooms.projections.model.validations.run(begun?.run ?? '')?.result !== undefined);
  }
  const statuses = async (ledger: TestLedger): Promise<Record<string, string>> => {
    const { items } = (await ledger.get('/v1/clusters?limit=100')).body;
    return Object.fromEntries(
      items.map(({ clusterId, status }: Record<string, string>) => [clusterId, status]),
    );
  };
  const openAlerts = async (ledger: TestLedger): Promise<string[]> => {
    const { items } = (await ledger.get('/v1/alerts?state=open&limit=100')).body;
    return items.map(({ id }: { id: string }) => id).sort();
  };
  const states = async (ledger: TestLedger): Promise<Record<string, string>> => {
    const { records } = (await ledger.get('/v1/sources/kubefirst')).body;
    return Object.fromEntries(records.map(({ name, state }: Record<string, string>) => [name, state]));
  };
  const sources = async (ledger: TestLedger) => (await ledger.get('/readyz')).body.checks.sources;

  test('are followed side by side; what one of them lost while it was away is stopped, and nobody else', async () => {
    const ledger = await openLedger();
    await until(async () => Object.keys(await statuses(ledger)).length === 12);
    const all = Object.fromEntries(
      NAMES.flatMap((name) => [
        [`${idOf(name)}.${idOf(name)}.${name}.1769846400`, 'free'],
        ...WORKLOADS.map((workload) => [clusterOf(name, workload), 'billed']),
      ]),
    );
    expect(await statuses(ledger)).toEqual(all);
    expect((await ledger.get(`/v1/clusters/${clusterOf('eu', 'a')}`)).body.connection).toBe(
      'argocd:eu/argocd-eu/a',
    );
    await validate(ledger);
    const counts = ledger.rooms.projections.model.validations.runs.at(-1)?.result?.counts;
    expect(counts).toMatchObject({ alive: 9, unreachable: 0 });
    expect(await openAlerts(ledger)).toEqual([]);
    expect(await sources(ledger)).toEqual({ ok: true, detail: '6 can be read' });
    const listedAt = new Date(ledger.now).toISOString();

    const network = networks.get('eu') as TcpProxy;
    await network.refuse(true);
    network.cut();
    // First the connection that was cut is named, then the next one, which is refused.
    await until(async () => (await ledger.get('/v1/sources/kubefirst')).text.includes('ECONNREFUSED'));
    expect(await states(ledger)).toEqual({ us: 'following', eu: 'unreadable', ap: 'following' });
    for (const _ of [1, 2, 3]) await validate(ledger);
    expect(await openAlerts(ledger)).toEqual([
      'source-unreadable:argocd/eu',
      'source-unreadable:kubefirst/eu',
      ...WORKLOADS.map((workload) => `unverifiable:${clusterOf('eu', workload)}`),
    ]);
    expect((await ledger.get('/v1/alerts/source-unreadable:argocd%2Feu')).body).toMatchObject({
      severity: 'critical',
      happened: expect.stringMatching(/^argocd\/eu cannot be read since .*: .*ECONNREFUSED$/),
    });
    expect(await sources(ledger)).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/argocd\/eu: .*ECONNREFUSED; kubefirst\/eu: .*ECONNREFUSED/),
    });
    expect((await ledger.get('/readyz')).status).toBe(200);

    await api.replaceSecret('kubefirst-eu', 'kubefirst-cluster-eu', recordOf('eu', ['c']));
    for (const workload of ['a', 'b']) await api.deleteSecret('argocd-eu', workload);
    for (let hour = 0; hour < 30; hour++) await validate(ledger, HOUR);
    expect(await statuses(ledger)).toEqual(all);

    await network.refuse(false);
    await until(async () => (await states(ledger))['eu'] === 'following');
    // A list that failed may be kept for one more run.
    for (const _ of [1, 2]) await validate(ledger);
    expect(await sources(ledger)).toMatchObject({ ok: true });
    for (let hour = 0; hour < 23; hour++) await validate(ledger, HOUR);
    expect(await statuses(ledger)).toEqual(all);
    await validate(ledger, HOUR);
    const lost = [clusterOf('eu', 'a'), clusterOf('eu', 'b')];
    expect(await statuses(ledger)).toEqual({
      ...all,
      ...Object.fromEntries(lost.map((clusterId) => [clusterId, 'stopped'])),
    });
    for (const clusterId of lost) {
      const { intervals } = (await ledger.get(`/v1/clusters/${clusterId}/billing`)).body;
      expect(intervals).toMatchObject([{ to: listedAt }]);
    }
    expect(await openAlerts(ledger)).toEqual(lost.map((clusterId) => `billing-stopped-missing:${clusterId}`));
    expect(ledger.logged).toEqual([]);
  });
});
