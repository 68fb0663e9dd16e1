import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ManagementCluster } from '../../../src/kubernetes/management/management-cluster.ts';
import type { Secret } from '../../../src/kubernetes/management/secrets-api.ts';
import { hasKubeApiserver, KubeApiserver, NO_KUBE_APISERVER } from '../../support/kube-apiserver.ts';
import { KubernetesApi } from '../../support/kubernetes-api.ts';

const where = hasKubeApiserver() ? 'a real kube-apiserver' : NO_KUBE_APISERVER;
/** More than one page. */
const SECRETS = 600;

/** Writes to etcd and drops all revisions before, while the caller waits. */
function compact(etcdUrl: string): void {
  const program = `
    const post = async (path, body) =>
      (await fetch(${JSON.stringify(etcdUrl)} + path, { method: 'POST', body: JSON.stringify(body) })).json();
    const { header } = await post('/v3/kv/put', { key: 'eA==', value: 'eA==' });
    await post('/v3/kv/compaction', { revision: header.revision, physical: true });
  `;
  execFileSync(process.execPath, ['--input-type=module', '--eval', program]);
}

describe.skipIf(!hasKubeApiserver())(`a list of ${where}`, () => {
  let server: KubeApiserver;
  let api: KubernetesApi;
  let cluster: ManagementCluster;

  beforeAll(async () => {
    server = await KubeApiserver.start();
    api = await KubernetesApi.open(server);
    await api.namespace('many');
    for (let i = 0; i < SECRETS; i += 50) {
      const some = Array.from({ length: 50 }, (_, k) => `s${i + k}`);
      await Promise.all(some.map((name) => api.createSecret('many', name, { value: name })));
    }
    cluster = new ManagementCluster({ kubeconfig: await api.kubeconfigFile() });
  });
  afterAll(async () => {
    await cluster?.close();
    await api?.close();
    await server?.remove();
  });

  /** @param onRead called with the number of Secrets read so far, while a page is read. */
  function list(onRead: (reads: number) => void) {
    let reads = 0;
    const select = ({ metadata: { name } }: Secret) => {
      reads += 1;
      onRead(reads);
      return name;
    };
    const listing = cluster.list({ namespace: 'many' }, select, new AbortController().signal);
    return listing.then(({ items }) => ({ items, reads }));
  }

  test('begins again if the place of its next page has expired, and is complete', async () => {
    const { items, reads } = await list((read) => read === 1 && compact(server.etcdUrl));
    expect(new Set(items).size).toBe(SECRETS);
    expect(items).toHaveLength(SECRETS);
    // The first page was read twice.
    expect(reads).toBeGreaterThan(SECRETS);
  });

  test('fails rather than being partial if that happens each time', async () => {
    const listing = list((read) => read % 500 === 1 && compact(server.etcdUrl));
    await expect(listing).rejects.toThrow('the list changed faster than it could be read');
  });
});
