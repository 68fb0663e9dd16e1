import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { followedRecords, openKubefirst } from '../../../src/app/compose-kubefirst.ts';
import { openProber } from '../../../src/app/compose-prober.ts';
import { KubefirstSettings } from '../../../src/config/kubefirst-settings.ts';
import { ValidatorSettings } from '../../../src/config/validator-settings.ts';
import { type OpenSources, openSources } from '../../../src/kubernetes/credentials/open-sources.ts';
import { readInventories } from '../../../src/kubernetes/credentials/read-inventories.ts';
import { ledgerInventory } from '../../../src/projections/queries/ledger-inventory.ts';
import { InventoryReconciler } from '../../../src/usecases/reconcile-inventory.ts';
import { inventorySource } from '../../../src/usecases/record-book.ts';
import { SourceHealth } from '../../../src/usecases/source-health.ts';
import { startProxy } from '../../eventstoredb/tcp-proxy.ts';
import { hasKubeApiserver, KubeApiserver, NO_KUBE_APISERVER } from '../../support/kube-apiserver.ts';
import {
  deleteCompleted,
  installed,
  managementRecord,
  recordData,
  track,
  workloadRecord,
} from '../../support/kubefirst.ts';
import { KubernetesApi, shippedRoles } from '../../support/kubernetes-api.ts';
import { openLedger } from '../../support/ledger.ts';
import { until } from '../../support/until.ts';

const CANARY = 'CANARY-77aa';
const MANAGEMENT = 'm1m1m1.m1m1m1.kubefirst.1769846400';
const ONE = 'm1m1m1.aaaaaa.one.1769850000';
const TWO = 'm1m1m1.bbbbbb.two.1769850000';
const one = (more = {}) => workloadRecord('one', 'aaaaaa', more);
const two = (more = {}) => workloadRecord('two', 'bbbbbb', more);
const HOUR = 3_600_000;

type Ledger = Awaited<ReturnType<typeof openLedger>>;

const where = hasKubeApiserver() ? 'a real kube-apiserver' : NO_KUBE_APISERVER;

describe.skipIf(!hasKubeApiserver())(`the records of Kubefirst in ${where}`, () => {
  let server: KubeApiserver;
  let api: KubernetesApi;
  let namespace: string;
  let made = 0;
  const ledgers: Ledger[] = [];

  beforeAll(async () => {
    server = await KubeApiserver.start();
    api = await KubernetesApi.open(server);
  });
  afterAll(async () => {
    await api?.close();
    await server?.remove();
  });
  beforeEach(async () => {
    namespace = `kubefirst-${made++}`;
    await api.namespace(namespace);
    await api.createSecret(namespace, 'kubefirst-initial-secrets', { K1_ACCESS_TOKEN: CANARY });
  });
  afterEach(async () => {
    for (const ledger of ledgers.splice(0)) await ledger.discard();
  });

  /** One hour ahead of the management cluster, so that its timestamps are in the past for the ledger. */
  const later = () => new Date(Date.now() + HOUR).toISOString();

  async function follow(port = server.port, now = later()): Promise<Ledger> {
    const kubeconfig = await api.kubeconfigFile(server.adminToken, port);
    const ledger = await openLedger({
      now,
      kubefirst: { records: { managementCluster: { kubeconfig }, namespace } },
    });
    ledgers.push(ledger);
    return ledger;
  }

  const index = (...names: readonly string[]) => recordData({ name: 'clusters', list: names });
  const write = (workloads: readonly object[], more = {}) =>
    api.replaceSecret(
      namespace,
      'kubefirst-cluster-kubefirst',
      recordData(managementRecord(CANARY, workloads as never, more)),
    );
  async function create(workloads: readonly object[], more = {}): Promise<void> {
    await api.createSecret(namespace, 'kubefirst-clusters', index('kubefirst'));
    await api.createSecret(
      namespace,
      'kubefirst-cluster-kubefirst',
      recordData(managementRecord(CANARY, workloads as never, more)),
    );
  }

  async function clusters(ledger: Ledger): Promise<readonly string[]> {
    const { body } = await ledger.get('/v1/clusters');
    return (body.items ?? []).map(
      ({ clusterId, status }: Record<string, string>) => `${clusterId} ${status}`,
    );
  }
  const comeTo = (ledger: Ledger, ...expected: readonly string[]) =>
    until(async () => JSON.stringify(await clusters(ledger)) === JSON.stringify(expected));
  const types = async (ledger: Ledger, cluster: string) =>
    (await ledger.get(`/v1/clusters/${cluster}/events`)).body.items.map(({ type }: { type: string }) =>
      type.split('.').slice(2, -1).join('.'),
    );
  const deletedAt = async (ledger: Ledger, cluster: string) =>
    Date.parse((await ledger.get(`/v1/clusters/${cluster}`)).body.deletedAt);
  /** Returns the second that has begun: the management cluster counts in seconds. */
  const thisSecond = () => Math.floor(Date.now() / 1_000) * 1_000;
  const records = async (ledger: Ledger) => (await ledger.get('/v1/sources/kubefirst')).body.records[0];

  test('provisioned clusters are registered as of their creation, and the management cluster as free', async () => {
    await create([one(), two({ creation_timestamp: '1769850000500', status: 'provisioning' })]);
    const ledger = await follow();
    await comeTo(ledger, `${ONE} billed`, `${MANAGEMENT} free`);
    expect((await ledger.get(`/v1/clusters/${ONE}`)).body).toMatchObject({
      accountId: 'm1m1m1',
      name: 'one',
      clusterType: 'workload-cluster',
      cloudProvider: 'civo',
      region: 'FRA1',
      labels: { 'kubefirst/domain': 'one.acme.example', 'kubefirst/records': 'default' },
      connection: 'argocd:argocd/one',
      registeredAt: '2026-01-31T09:00:00.000Z',
    });
    expect((await ledger.get(`/v1/clusters/${MANAGEMENT}`)).body.registeredAt).toBe(
      '2026-01-31T08:00:00.123Z',
    );
    await write([one(), two({ creation_timestamp: '1769850000500' })]);
    await comeTo(ledger, `${ONE} billed`, `${TWO} billed`, `${MANAGEMENT} free`);
    expect((await ledger.get(`/v1/clusters/${TWO}`)).body.registeredAt).toBe('2026-01-31T09:00:00.500Z');
    expect(await records(ledger)).toMatchObject({
      state: 'following',
      clusters: 3,
      unusable: [],
      missing: [],
    });
  });

  test('end the bill when they say so, at the time of the record, and an error never does', async () => {
    const begin = thisSecond();
    await create([one(), two()]);
    const ledger = await follow();
    await comeTo(ledger, `${ONE} billed`, `${TWO} billed`, `${MANAGEMENT} free`);
    const head = await ledger.head();
    await write([one({ status: 'error' }), two({ status: 'deleting' })]);
    await until(async () => (await types(ledger, TWO)).length === 2);
    expect([await types(ledger, TWO), await ledger.head()]).toEqual([
      ['cluster.registered', 'cluster.deletion-requested'],
      head + 1,
    ]);
    await write([one({ status: 'error' }), two({ status: 'error' })]);
    await write([one({ status: 'error' }), two({ status: 'deleted' })]);
    const end = Date.now();
    await comeTo(ledger, `${ONE} billed`, `${TWO} deleted`, `${MANAGEMENT} free`);
    expect(await deletedAt(ledger, TWO)).toBeGreaterThanOrEqual(begin);
    expect(await deletedAt(ledger, TWO)).toBeLessThanOrEqual(end);
  });

  test('a record that disappears ends the bill after a deletion request, and otherwise raises an alert', async () => {
    await create([one(), two()]);
    const ledger = await follow();
    await comeTo(ledger, `${ONE} billed`, `${TWO} billed`, `${MANAGEMENT} free`);
    await write([one({ status: 'deleting' }), two()]);
    await until(async () => (await types(ledger, ONE)).length === 2);
    await write([]);
    await comeTo(ledger, `${ONE} deleted`, `${TWO} billed`, `${MANAGEMENT} free`);
    await until(async () => (await records(ledger)).missing.length === 1);
    expect((await records(ledger)).missing).toEqual([TWO]);
    await write([two()]);
    await until(async () => (await records(ledger)).missing.length === 0);
    expect(await types(ledger, TWO)).toEqual(['cluster.registered']);
  });

  test('the records of a whole platform are missing only once they have left the index', async () => {
    await create([one()]);
    const ledger = await follow();
    await comeTo(ledger, `${ONE} billed`, `${MANAGEMENT} free`);
    await api.deleteSecret(namespace, 'kubefirst-cluster-kubefirst');
    await until(async () => (await records(ledger)).clusters === 0);
    expect((await records(ledger)).missing).toEqual([]);
    await api.replaceSecret(namespace, 'kubefirst-clusters', index());
    await until(async () => (await records(ledger)).missing.length === 1);
    expect((await records(ledger)).missing).toEqual([ONE]);
    expect(await clusters(ledger)).toEqual([`${ONE} billed`, `${MANAGEMENT} free`]);
  });

  test('records are compared with the ledger at start, whatever happened meanwhile', async () => {
    const begin = thisSecond();
    await create([one(), two()]);
    const ledger = await follow();
    await comeTo(ledger, `${ONE} billed`, `${TWO} billed`, `${MANAGEMENT} free`);
    await ledger.close();
    await write([one({ status: 'deleted' }), two(), workloadRecord('three', 'cccccc')]);
    const end = Date.now();
    ledger.pass(HOUR);
    await ledger.open();
    const three = 'm1m1m1.cccccc.three.1769850000 billed';
    await comeTo(ledger, `${ONE} deleted`, `${TWO} billed`, three, `${MANAGEMENT} free`);
    // Not billed for the hours in which the ledger was down.
    expect(await deletedAt(ledger, ONE)).toBeGreaterThanOrEqual(begin);
    expect(await deletedAt(ledger, ONE)).toBeLessThanOrEqual(end);
    const head = await ledger.head();
    await ledger.reopen();
    await until(async () => (await records(ledger)).state === 'following');
    expect(await ledger.head()).toBe(head);
  });

  test('two watchers record the same facts once', async () => {
    await create([one(), two({ status: 'deleting' })]);
    const kubeconfig = await api.kubeconfigFile();
    const settings = { managementCluster: { kubeconfig }, namespace };
    const ledger = await openLedger({ now: later(), kubefirst: { records: settings } });
    ledgers.push(ledger);
    const quiet = { info: () => undefined, warn: () => undefined };
    const now = () => ledger.now + 5_000;
    const parts = { ...ledger.rooms, log: quiet, now, health: new SourceHealth() };
    const own = KubefirstSettings.parse({ records: settings });
    const places = followedRecords(own.records ?? [], {});
    const environment = {};
    const access = settings.managementCluster;
    const prober = openProber({ environment, log: quiet, now }, ValidatorSettings.parse({}), [access]);
    const other = openKubefirst({ ...parts, prober }, own, places, new Set());
    try {
      await comeTo(ledger, `${ONE} billed`, `${MANAGEMENT} free`);
      await write([one({ status: 'deleted' }), two()]);
      await comeTo(ledger, `${ONE} deleted`, `${TWO} billed`, `${MANAGEMENT} free`);
      await until(() => other.records()[0]?.state === 'following');
      expect(await types(ledger, ONE)).toEqual(['cluster.registered', 'cluster.deleted', 'billing.stopped']);
      expect((await ledger.get('/v1/rejected-events')).body.items).toEqual([]);
      expect((await ledger.get('/v1/alerts')).body.items).toEqual([]);
    } finally {
      await other.stop();
      await prober.stop();
    }
  });

  test('adopt what telemetry has registered, and the two never bill a cluster twice', async () => {
    const ledger = await follow();
    const seen = {
      cluster_id: 'aaaaaa',
      cluster_type: 'physical',
      domain: 'one.acme.example',
      parent_cluster_id: 'm1m1m1',
    };
    await track(ledger, installed(seen, { timestamp: '2026-11-01T00:00:00Z' }));
    const unnamed = `m1m1m1.aaaaaa.-.${Date.parse('2026-11-01') / 1_000}`;
    await create([one()]);
    await comeTo(ledger, `${unnamed} billed`, `${MANAGEMENT} free`);
    await until(async () => (await types(ledger, unnamed)).length === 3);
    expect((await ledger.get(`/v1/clusters/${unnamed}`)).body).toMatchObject({
      name: 'one',
      registeredAt: '2026-01-31T09:00:00.000Z',
    });
    await track(ledger, installed(seen, { timestamp: '2026-11-02T00:00:00Z' }));
    await track(
      ledger,
      deleteCompleted(
        { cluster_id: 'aaaaaa', domain: 'one.acme.example' },
        { timestamp: '2026-11-20T00:00:00Z' },
      ),
    );
    await write([one({ status: 'deleted' }), two()]);
    await comeTo(ledger, `${unnamed} deleted`, `${TWO} billed`, `${MANAGEMENT} free`);
    expect((await ledger.get(`/v1/clusters/${unnamed}`)).body.deletedAt).toBe('2026-11-20T00:00:00.000Z');
  });

  test('unusable records are reported with the field at fault, and no cluster in them is taken as gone', async () => {
    await create([one(), two()]);
    const ledger = await follow();
    await comeTo(ledger, `${ONE} billed`, `${TWO} billed`, `${MANAGEMENT} free`);
    await write([one({ cluster_id: `${CANARY} ` })]);
    await until(async () => (await records(ledger)).unusable.length === 1);
    expect(await records(ledger)).toMatchObject({
      unusable: [{ name: 'kubefirst/workload_clusters/0', field: 'cluster_id' }],
      missing: [],
    });
    await write([], { cluster_name: { [CANARY]: CANARY } });
    await until(async () => (await records(ledger)).unusable[0]?.field === 'cluster_name');
    expect((await records(ledger)).missing).toEqual([]);
  });

  test('following works with the shipped role and is reported as unreadable without it', async () => {
    namespace = 'kubefirst';
    for (const name of ['kubefirst', 'argocd']) await api.namespace(name);
    await create([one()]);
    const objects = await shippedRoles();
    for (const object of objects.filter(({ kind }) => kind !== 'RoleBinding')) await api.apply(object);
    const kubeconfig = await api.kubeconfigFile(await api.tokenOf('cluster-ledger', 'cluster-ledger'));
    const ledger = await openLedger({
      now: later(),
      kubefirst: { records: { managementCluster: { kubeconfig } } },
    });
    ledgers.push(ledger);
    await until(
      async () => (await records(ledger)).why === 'the management cluster answered with status 403',
    );
    expect(await records(ledger)).toMatchObject({ state: 'unreadable' });
    for (const binding of objects.filter(({ kind }) => kind === 'RoleBinding')) await api.apply(binding);
    await comeTo(ledger, `${ONE} billed`, `${MANAGEMENT} free`);
    await write([one({ status: 'deleted' })]);
    await comeTo(ledger, `${ONE} deleted`, `${MANAGEMENT} free`);
  });

  test('records are an inventory beside the Secrets of Argo CD', async () => {
    const argocd = `argocd-${made}`;
    await api.namespace(argocd);
    const label = { labels: { 'argocd.argoproj.io/secret-type': 'cluster' } };
    for (const name of ['one', 'two', 'stranger']) {
      await api.createSecret(argocd, name, { name, server: `https://${name}.example`, config: '{}' }, label);
    }
    await create([one(), two(), workloadRecord('three', 'cccccc', { status: 'error' })]);
    const managementCluster = { kubeconfig: await api.kubeconfigFile() };
    const kubefirst = { records: { managementCluster, namespace }, connection: `argocd/${argocd}/{name}` };
    const ledger = await openLedger({ now: later(), kubefirst });
    ledgers.push(ledger);
    await comeTo(ledger, `${ONE} billed`, `${TWO} billed`, `${MANAGEMENT} free`);
    const { projections, kubefirst: rooms } = ledger.rooms;
    const open = await openSources({ managementCluster, argocd: { namespaces: [argocd] } });
    // The next run reads the inventories again after their cache has expired.
    const fresh = await openSources({ managementCluster, argocd: { namespaces: [argocd] } });
    const reconciler = ({ sources }: OpenSources) =>
      new InventoryReconciler({
        listed: () => readInventories(sources, new AbortController().signal),
        readings: rooms.readings,
        inventory: () => ledgerInventory(projections.model, ledger.now, inventorySource),
        now: () => ledger.now,
      });
    try {
      const before = await reconciler(open).run();
      const all = { [ONE]: 'listed', [TWO]: 'listed', [MANAGEMENT]: 'listed' };
      expect(Object.fromEntries(before.statuses)).toEqual(all);
      const stranger = { type: 'running-but-unregistered', reference: `argocd:${argocd}/stranger` };
      expect(before.conditions).toMatchObject([stranger]);
      await write([one()]);
      await until(async () => (await records(ledger)).missing.length === 1);
      // Argo CD still lists the cluster: it is not gone while any source lists it.
      expect((await reconciler(open).run()).statuses.get(TWO)).toBe('listed');
      await api.deleteSecret(argocd, 'two');
      const again = reconciler(fresh);
      await again.run();
      ledger.pass(HOUR / 2);
      const after = await again.run();
      expect(after.statuses.get(TWO)).toBe('gone');
      const missing = { type: 'billed-but-missing', clusterId: TWO, clusterHours: '0.500000' };
      expect(after.conditions).toMatchObject([missing, stranger]);
      // The ledger has the cluster as deleted, but Kubefirst reports it as running.
      const timestamp = new Date(ledger.now - HOUR / 4).toISOString();
      await track(ledger, deleteCompleted({ cluster_id: 'aaaaaa' }, { timestamp }));
      const { conditions } = await again.run();
      const reference = 'kubefirst/default:m1m1m1/one';
      expect(conditions).toMatchObject([missing, stranger, { reference, clusterHours: '0.250000' }]);
    } finally {
      await open.close();
      await fresh.close();
    }
  });

  test('the other fields of the Secrets leave no trace', async () => {
    await create([one(), two({ status: 'deleted' })]);
    const ledger = await follow();
    await comeTo(ledger, `${ONE} billed`, `${MANAGEMENT} free`);
    for (const path of ['/v1/feed?after=0', '/v1/sources/kubefirst', '/v1/rejected-events', '/metrics']) {
      expect((await ledger.get(path)).text).not.toContain(CANARY);
    }
    const folder = dirname(ledger.snapshotFile);
    await ledger.close();
    for (const file of await readdir(folder))
      expect((await readFile(join(folder, file))).includes(CANARY), file).toBe(false);
    await ledger.open();
  });

  test('following resumes after a broken connection, with the changes made meanwhile', async () => {
    await create([one(), two()]);
    const proxy = await startProxy(server.port);
    try {
      const ledger = await follow(proxy.port);
      await comeTo(ledger, `${ONE} billed`, `${TWO} billed`, `${MANAGEMENT} free`);
      await proxy.refuse(true);
      proxy.cut();
      await until(async () => (await records(ledger)).state === 'unreadable');
      expect((await records(ledger)).why).toMatch(/^the management cluster cannot be read: /);
      await proxy.refuse(false);
      await until(async () => (await records(ledger)).state === 'following');
      await proxy.refuse(true);
      proxy.cut();
      await until(async () => (await records(ledger)).state === 'unreadable');
      // Only a watcher that resumes sees the deletion request: the final list does not show it.
      await write([one({ status: 'deleting' }), two()]);
      await write([two()]);
      await proxy.refuse(false);
      await comeTo(ledger, `${ONE} deleted`, `${TWO} billed`, `${MANAGEMENT} free`);
    } finally {
      await proxy.close();
    }
  });

  test('records are listed again after a restart of the API server that has lost the last version', async () => {
    await create([one(), two()]);
    const proxy = await startProxy(server.port);
    try {
      const ledger = await follow(proxy.port);
      await comeTo(ledger, `${ONE} billed`, `${TWO} billed`, `${MANAGEMENT} free`);
      await proxy.refuse(true);
      proxy.cut();
      await write([one({ status: 'deleted' }), two()]);
      for (let i = 0; i < 5; i++) await api.createSecret(namespace, `other-${i}`, { key: 'value' });
      await server.stopServer();
      await server.startServer();
      await proxy.refuse(false);
      await comeTo(ledger, `${ONE} deleted`, `${TWO} billed`, `${MANAGEMENT} free`);
      await write([two({ status: 'deleting' })]);
      await until(async () => (await types(ledger, TWO)).length === 2);
      expect(await records(ledger)).toMatchObject({ state: 'following', missing: [] });
    } finally {
      await proxy.close();
    }
  });
});
