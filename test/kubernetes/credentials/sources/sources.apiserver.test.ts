import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InventoryItem } from '../../../../src/domain/inventory.ts';
import { Credential } from '../../../../src/kubernetes/credentials/credential.ts';
import { resolveConnection, whyAbsent } from '../../../../src/kubernetes/credentials/credential-source.ts';
import { type OpenSources, openSources } from '../../../../src/kubernetes/credentials/open-sources.ts';
import { SourceUnreadable } from '../../../../src/kubernetes/management/source-unreadable.ts';
import { hasKubeApiserver, KubeApiserver, NO_KUBE_APISERVER } from '../../../support/kube-apiserver.ts';
import { KubernetesApi, type ShippedObject, shippedRoles } from '../../../support/kubernetes-api.ts';
import { eventually } from '../../../support/until.ts';

const CANARY = 'CANARY-4b1d';
const ARGOCD = { labels: { 'argocd.argoproj.io/secret-type': 'cluster' } };
const capi = (name: string) => ({
  labels: { 'cluster.x-k8s.io/cluster-name': name },
  type: 'cluster.x-k8s.io/secret',
});

const config = (value: object) => JSON.stringify(value);
const TLS = { insecure: false, caData: 'Y2E=', certData: '', keyData: '' };

const token = () => config({ bearerToken: CANARY, tlsClientConfig: TLS });

const signal = new AbortController().signal;

async function outcome(resolving: Promise<Credential | 'absent'>): Promise<unknown> {
  try {
    const resolved = await resolving;
    return resolved instanceof Credential ? resolved.reveal() : resolved;
  } catch (error) {
    for (const shown of [String(error), inspect(error, { depth: 9 }), JSON.stringify(error)]) {
      expect(shown).not.toContain(CANARY);
    }
    return String(error);
  }
}

async function all(items: AsyncIterable<InventoryItem> | undefined): Promise<readonly InventoryItem[]> {
  return items === undefined ? [] : Array.fromAsync(items);
}

const where = hasKubeApiserver() ? 'a real kube-apiserver' : NO_KUBE_APISERVER;

describe.skipIf(!hasKubeApiserver())(`credentials in Secrets of ${where}`, () => {
  let server: KubeApiserver;
  let api: KubernetesApi;
  let open: OpenSources;
  const settings = (kubeconfig: string) => ({
    managementCluster: { kubeconfig },
    argocd: { namespaces: ['argocd'] },
    clusterApi: { namespaces: ['acme', 'globex'] },
    secrets: { namespaces: ['kubeconfigs'] },
  });

  beforeAll(async () => {
    server = await KubeApiserver.start();
    api = await KubernetesApi.open(server);
    for (const name of ['argocd', 'kubefirst', 'acme', 'globex', 'kubeconfigs']) await api.namespace(name);
    const secrets = {
      token: { server: 'https://c1.example:6443', config: token() },
      certificate: {
        server: 'https://c2.example:6443',
        config: config({
          tlsClientConfig: {
            caData: 'Y2E=',
            certData: 'Y2VydA==',
            keyData: CANARY,
            serverName: 'kubernetes',
          },
        }),
      },
      basic: {
        server: 'https://c3.example',
        config: config({ username: 'admin', password: CANARY, tlsClientConfig: { insecure: true } }),
      },
      exec: {
        server: 'https://c4.example',
        config: config({ execProviderConfig: { command: CANARY }, bearerToken: CANARY }),
      },
      aws: { server: 'https://c5.example', config: config({ awsAuthConfig: { clusterName: CANARY } }) },
      proxied: {
        server: 'https://c6.example',
        config: config({ bearerToken: CANARY, proxyUrl: `http://${CANARY}` }),
      },
      unknown: { server: 'https://c7.example', config: config({ tlsClientConfig: { certFile: CANARY } }) },
      broken: { server: 'https://c8.example', config: `{${CANARY}` },
      nowhere: { server: '', config: token() },
      itself: {
        server: 'https://kubernetes.default.svc',
        config: config({ tlsClientConfig: { insecure: false } }),
      },
    };
    for (const [name, data] of Object.entries(secrets)) {
      await api.createSecret('argocd', name, { name: `${name}.acme`, ...data }, ARGOCD);
    }
    await api.createSecret('argocd', 'argocd-secret', { server: 'https://c9.example', config: token() });
    await api.createSecret('acme', 'one-kubeconfig', { value: `kubeconfig ${CANARY}` }, capi('one'));
    await api.createSecret('acme', 'one-ca', { 'tls.key': CANARY }, capi('one'));
    await api.createSecret('acme', 'empty-kubeconfig', { other: CANARY }, capi('empty'));
    await api.createSecret('globex', 'one-kubeconfig', { value: 'x'.repeat(70_000) }, capi('one'));
    await api.createSecret('globex', 'two-kubeconfig', { value: CANARY });
    await api.createSecret('kubeconfigs', 'c1', {
      kubeconfig: `usual ${CANARY}`,
      'other.yaml': `other ${CANARY}`,
    });
    await api.createSecret('kubeconfigs', 'odd', { mine: CANARY });
    await api.createSecret('kubeconfigs', 'flux', { 'value.yaml': `flux ${CANARY}` });
    open = await openSources(settings(await api.kubeconfigFile()));
  });
  afterAll(async () => {
    await open?.close();
    await api?.close();
    await server?.remove();
  });

  const resolve = (reference: string | undefined) =>
    outcome(resolveConnection(reference, open.sources, signal));

  test('Argo CD credentials are read in every supported form, and unsupported fields are rejected by name', async () => {
    expect(await resolve('argocd:argocd/token')).toEqual({
      kind: 'endpoint',
      server: 'https://c1.example:6443',
      caData: 'Y2E=',
      token: CANARY,
    });
    expect(await resolve('argocd/argocd/certificate')).toEqual({
      kind: 'endpoint',
      server: 'https://c2.example:6443',
      caData: 'Y2E=',
      tlsServerName: 'kubernetes',
      clientCertData: 'Y2VydA==',
      clientKeyData: CANARY,
    });
    expect(await resolve('argocd:argocd/basic')).toEqual({
      kind: 'endpoint',
      server: 'https://c3.example',
      username: 'admin',
      password: CANARY,
      insecure: true,
    });
    expect(await resolve('argocd:argocd/exec')).toEqual({
      kind: 'endpoint',
      server: 'https://c4.example',
      token: CANARY,
      leftOut: 'execProviderConfig is never run',
    });
    expect(await resolve('argocd:argocd/aws')).toEqual({
      kind: 'endpoint',
      server: 'https://c5.example',
      leftOut: 'awsAuthConfig is never run',
    });
    const refusals = {
      proxied: 'proxyUrl is not supported: the prober uses no proxy',
      unknown: 'tlsClientConfig.certFile is not supported; remove it',
      broken: 'config is not valid JSON',
      nowhere: 'server is missing',
    };
    for (const [name, why] of Object.entries(refusals)) {
      expect(await resolve(`argocd:argocd/${name}`)).toContain(`CredentialRefused: ${why}`);
    }
  });

  test('the Secret of the cluster that Argo CD runs in yields its address and CA without a login', async () => {
    const caData = Buffer.from(server.authority.cert).toString('base64');
    expect(await resolve('argocd:argocd/itself')).toEqual({ kind: 'endpoint', server: server.url, caData });
  });

  test('Cluster API kubeconfigs are read, and other Secrets with the same label are not', async () => {
    expect(await resolve('capi:acme/one')).toEqual({ kind: 'kubeconfig', text: `kubeconfig ${CANARY}` });
    expect(await resolve('capi:acme/empty')).toContain('CredentialRefused: value must contain a kubeconfig');
    expect(await resolve('capi:globex/one')).toContain(
      'CredentialRefused: value must have at most 65536 bytes',
    );
    expect(await resolve('capi:globex/two')).toBe('absent');
  });

  test('in plain Secrets are found by their usual keys or by the one that is named, in the namespaces for them', async () => {
    expect(await resolve('secret:kubeconfigs/c1')).toEqual({ kind: 'kubeconfig', text: `usual ${CANARY}` });
    expect(await resolve('secret/kubeconfigs/c1/other.yaml')).toEqual({
      kind: 'kubeconfig',
      text: `other ${CANARY}`,
    });
    expect(await resolve('secret:kubeconfigs/c1/none')).toBe(
      'CredentialRefused: connection must name a key that the Secret has: the Secret has kubeconfig, other.yaml',
    );
    expect(await resolve('secret:kubeconfigs/odd')).toBe(
      'CredentialRefused: connection must name the key of the kubeconfig, as in secret:<namespace>/<name>/<key>: the Secret has mine',
    );
    expect(await resolve('secret:kubeconfigs/flux')).toEqual({ kind: 'kubeconfig', text: `flux ${CANARY}` });
    expect(await resolve('secret:kubeconfigs/none')).toBe('absent');
    expect(await resolve('secret:acme/one-kubeconfig/value')).toContain(
      'must be in a namespace that is configured',
    );
  });

  test('absent credentials are distinguished from unknown source schemes', async () => {
    expect(await resolve('argocd:argocd/none')).toBe('absent');
    expect(await resolve('argocd:argocd/argocd-secret')).toBe('absent');
    expect(await resolve(undefined)).toBe('absent');
    expect(await resolve('vault:argocd/none')).toContain(
      'SourceUnreadable: no credential source with the scheme vault',
    );
    for (const wrong of [
      'argocd:token',
      'argocd:a/b/c',
      'argocd:../x',
      'secret:kubeconfigs/../../x',
      'capi:a/B',
    ]) {
      expect(await resolve(wrong)).toContain('CredentialRefused: connection must be <namespace>/<name>');
    }
  });

  test('absent credentials are explained by what their source would need to have', () => {
    const why = (reference: string | undefined) => whyAbsent(reference, open.sources);
    expect(why('argocd:argocd/none')).toBe(
      'the namespace argocd has no Secret none with the label argocd.argoproj.io/secret-type=cluster',
    );
    expect(why('argocd:team/none')).toBe('the setting credentials.argocd does not name the namespace team');
    expect(why('capi:globex/two')).toBe(
      'the namespace globex has no Secret two-kubeconfig with the label cluster.x-k8s.io/cluster-name=two',
    );
    expect(why('secret:kubeconfigs/none')).toBe('the namespace kubeconfigs has no Secret none');
    expect(why(undefined)).toBe('the registration of the cluster has no connection');
  });

  test('a Secret that was just put right is read at once after a refresh', async () => {
    await api.createSecret('argocd', 'late', { server: '', config: token() }, ARGOCD);
    for (const source of open.sources) source.refresh?.();
    expect(await resolve('argocd:argocd/late')).toContain('server is missing');
    await api.replaceSecret('argocd', 'late', { server: 'https://late.example', config: token() }, ARGOCD);
    expect(await resolve('argocd:argocd/late')).toContain('server is missing');
    for (const source of open.sources) source.refresh?.();
    expect(await resolve('argocd:argocd/late')).toMatchObject({ server: 'https://late.example' });
    await api.deleteSecret('argocd', 'late');
    for (const source of open.sources) source.refresh?.();
  });

  test('the inventory contains no management cluster and no secret', async () => {
    const [argocd, clusterApi] = await Promise.all(
      open.sources.slice(0, 2).map((source) => all(source.inventory?.(signal))),
    );
    expect(argocd?.map(({ reference }) => reference)).toEqual(
      ['aws', 'basic', 'broken', 'certificate', 'exec', 'nowhere', 'proxied', 'token', 'unknown'].map(
        (name) => `argocd:argocd/${name}`,
      ),
    );
    expect(argocd?.[7]).toEqual({
      source: 'argocd',
      reference: 'argocd:argocd/token',
      name: 'token.acme',
      server: 'https://c1.example:6443',
      since: expect.any(Number),
    });
    expect(clusterApi?.map(({ reference }) => reference)).toEqual([
      'capi:acme/empty',
      'capi:acme/one',
      'capi:globex/one',
    ]);
  });

  test('printing a credential shows a placeholder', async () => {
    const credential = await resolveConnection('argocd:argocd/token', open.sources, signal);
    for (const shown of [
      inspect(credential, { depth: 9, showHidden: true }),
      JSON.stringify({ credential }),
      `${credential}`,
      inspect(open, { depth: 9 }),
    ]) {
      expect(shown).not.toContain(CANARY);
    }
  });

  test('reading Secrets works with the shipped roles and with nothing less', async () => {
    const objects = await shippedRoles();
    for (const object of objects.filter(({ kind }) => kind !== 'RoleBinding')) await api.apply(object);
    const file = await api.kubeconfigFile(await api.tokenOf('cluster-ledger', 'cluster-ledger'));
    const ledger = async (reference: string) => {
      const { sources, close } = await openSources(settings(file));
      try {
        return await outcome(resolveConnection(reference, sources, signal));
      } finally {
        await close();
      }
    };
    expect(await ledger('argocd:argocd/token')).toBe(
      'SourceUnreadable: the management cluster answered with status 403',
    );
    const bindings = objects.filter(({ kind }) => kind === 'RoleBinding');
    for (const binding of bindings) await api.apply(binding);
    // The API server learns of a binding only some time after it has stored it.
    await eventually(async () =>
      expect(await ledger('argocd:argocd/token')).toMatchObject({ kind: 'endpoint', token: CANARY }),
    );
    expect(await ledger('capi:acme/one')).toBe(
      'SourceUnreadable: the management cluster answered with status 403',
    );
    expect(await ledger('secret:kubeconfigs/c1')).toBe(
      'SourceUnreadable: the management cluster answered with status 403',
    );
    const [argocd] = bindings as [ShippedObject];
    for (const namespace of ['acme', 'globex'])
      await api.apply({ ...argocd, metadata: { ...argocd.metadata, namespace } });
    const name = 'cluster-ledger-kubeconfigs';
    const roleRef = { ...(argocd['roleRef'] as object), name };
    await api.apply({ ...argocd, metadata: { name, namespace: 'kubeconfigs' }, roleRef });
    for (const reference of ['capi:acme/one', 'secret:kubeconfigs/c1'])
      await eventually(async () => expect(await ledger(reference)).toMatchObject({ kind: 'kubeconfig' }));
  });

  test('reading fails while the management cluster is down and works again when it is back', async () => {
    const fresh = await openSources(settings(await api.kubeconfigFile()));
    try {
      await server.stopServer();
      const away = resolveConnection('secret:kubeconfigs/c1', fresh.sources, signal);
      await expect(away).rejects.toThrow(SourceUnreadable);
      await expect(away).rejects.toThrow('the management cluster cannot be read: ECONNREFUSED');
      await server.startServer();
      expect(await outcome(resolveConnection('secret:kubeconfigs/c1', fresh.sources, signal))).toMatchObject({
        kind: 'kubeconfig',
      });
    } finally {
      await fresh.close();
    }
  });

  test('in thousands are listed in pages', async () => {
    const many = Array.from({ length: 1_200 }, (_, i) => i);
    await api.namespace('many');
    for (let i = 0; i < many.length; i += 50) {
      await Promise.all(
        many
          .slice(i, i + 50)
          .map((n) =>
            api.createSecret('many', `c${n}`, { server: `https://c${n}.example`, config: '{}' }, ARGOCD),
          ),
      );
    }
    const managementCluster = { kubeconfig: await api.kubeconfigFile() };
    const fresh = await openSources({ managementCluster, argocd: { namespaces: ['many'] } });
    try {
      expect(await all(fresh.sources[0]?.inventory?.(signal))).toHaveLength(1_200);
    } finally {
      await fresh.close();
    }
  });
});
