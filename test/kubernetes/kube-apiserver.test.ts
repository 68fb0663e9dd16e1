import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Prober } from '../../src/kubernetes/prober/prober.ts';
import { ProberOptions } from '../../src/kubernetes/settings/prober-options.ts';
import { hasKubeApiserver, KubeApiserver, NO_KUBE_APISERVER } from '../support/kube-apiserver.ts';
import { KubernetesApi, shippedObjects } from '../support/kubernetes-api.ts';
import { eventually, until } from '../support/until.ts';
import { base64 } from './probe/fleet.ts';

const name = hasKubeApiserver() ? 'a real kube-apiserver' : NO_KUBE_APISERVER;

describe.skipIf(!hasKubeApiserver())(name, () => {
  let server: KubeApiserver;
  let api: KubernetesApi;
  let prober: Prober;
  /** Gives up early on a server that hangs. */
  let impatient: Prober;
  let identity: string | undefined;

  beforeAll(async () => {
    server = await KubeApiserver.start();
    api = await KubernetesApi.open(server);
    const addresses = { allow: ['127.0.0.0/8'] };
    const start = async (options: object) => {
      const all = ProberOptions.parse({ addresses, ...options });
      const started = new Prober(all, { now: Date.now, log: { warn: () => undefined } });
      await started.start();
      return started;
    };
    prober = await start({ deadlineMs: 60_000 });
    impatient = await start({ deadlineMs: 10_000 });
  });
  afterAll(async () => {
    await prober?.stop();
    await impatient?.stop();
    await api?.close();
    await server?.remove();
  });

  async function verdict(kubeconfig = server.kubeconfig(), asks = prober) {
    const [result] = await Array.fromAsync(asks.probe([{ clusterId: 'c', kubeconfig }]));
    return result?.verdict;
  }

  test('is alive, and a permitted user sees its identity', async () => {
    const seen = await verdict();
    expect(seen).toMatchObject({ state: 'alive', code: 'ok' });
    identity = seen?.uid;
    expect(identity).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('is alive for a client certificate', async () => {
    const { cert, key } = server.authority.issue({ commonName: 'admin', organization: 'system:masters' });
    const user = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
    expect(await verdict(server.kubeconfig(user))).toMatchObject({
      state: 'alive',
      code: 'ok',
      uid: identity,
    });
  });

  test('is alive for a user without permissions, who does not see its identity', async () => {
    const seen = await verdict(server.kubeconfig({ token: server.nobodyToken }));
    expect(seen).toMatchObject({ state: 'alive', code: 'forbidden' });
    expect(seen?.uid).toBeUndefined();
  });

  test('is alive for an unknown token', async () => {
    const seen = await verdict(server.kubeconfig({ token: 'expired-long-ago' }));
    expect(seen).toMatchObject({ state: 'alive', code: 'unauthorized' });
  });

  test('is alive without a login, which is said', async () => {
    const exec = { command: 'aws', apiVersion: 'client.authentication.k8s.io/v1' };
    const kubeconfig = server
      .kubeconfig()
      .replace(/"user":\{"token":"[^"]+"\}/, `"user":${JSON.stringify({ exec })}`);
    expect(await verdict(kubeconfig)).toMatchObject({
      state: 'alive',
      code: 'not-logged-in',
      detail: 'asked without logging in: users.user.exec is never run',
    });
  });

  test('is seen with the token of the how-to, which permits nothing else and can be revoked', async () => {
    for (const object of await shippedObjects('token-for-the-ledger.yaml')) await api.apply(object);
    const path = '/api/v1/namespaces/kube-system';
    // The token controller, which is not part of the API server, writes the token.
    const { metadata } = await api.send('GET', `${path}/serviceaccounts/cluster-ledger`);
    const account = { namespace: 'kube-system', name: 'cluster-ledger', uid: metadata.uid };
    const token = server.legacyToken(account, 'cluster-ledger-token');
    const data = { token: base64(token) };
    await api.send('PATCH', `${path}/secrets/cluster-ledger-token`, { data });

    const page = readFileSync(
      join(import.meta.dirname, '../../docs/how-to/give-the-ledger-a-token.md'),
      'utf8',
    );
    const [, template = ''] = /^```yaml\n([^`]+)```$/m.exec(page) ?? [];
    const values = { server: server.url, ca: base64(server.authority.cert), token };
    const kubeconfig = template.replace(
      /\$\{(\w+)\}/g,
      (_, name: string) => values[name as keyof typeof values] ?? 'unknown',
    );
    // The API server learns of the role and of the token only some time after it has stored them.
    await eventually(async () =>
      expect(await verdict(kubeconfig)).toMatchObject({ state: 'alive', code: 'ok', uid: identity }),
    );

    const ledger = await KubernetesApi.open(server, token);
    await ledger.send('GET', path);
    for (const denied of ['/api/v1/namespaces', '/api/v1/secrets', `${path}/secrets`, `${path}/pods`])
      await expect(ledger.send('GET', denied)).rejects.toThrow('403');
    await ledger.close();

    await api.deleteSecret('kube-system', 'cluster-ledger-token');
    // The API server accepts a token from its cache for some seconds.
    await until(async () => (await verdict(kubeconfig))?.code === 'unauthorized');
  });

  test('is alive and degraded while its etcd hangs', async () => {
    server.suspend('etcd');
    try {
      expect(await verdict(server.kubeconfig(), impatient)).toMatchObject({
        state: 'alive',
        code: 'degraded',
      });
    } finally {
      server.resume('etcd');
    }
  });

  test('is unknown while it hangs itself, and alive again afterward', async () => {
    server.suspend('server');
    try {
      expect(await verdict(server.kubeconfig(), impatient)).toMatchObject({
        state: 'unknown',
        code: 'timeout',
      });
    } finally {
      server.resume('server');
    }
    await until(async () => (await verdict())?.code === 'ok');
  });

  test('is alive while it is overloaded and asks to come again later', async () => {
    const user = 'slow';
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
    await api.send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: user },
      roleRef,
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
    });
    await server.stopServer();
    await server.startServer([
      '--feature-gates=APIPriorityAndFairness=false',
      '--max-requests-inflight=1',
      '--max-mutating-requests-inflight=1',
    ]);
    const nobody = server.kubeconfig({ token: server.nobodyToken });
    const { cert, key } = server.authority.issue({ commonName: user });
    const slow = server.kubeconfig({
      'client-certificate-data': base64(cert),
      'client-key-data': base64(key),
    });
    await until(async () => (await verdict(nobody))?.code === 'forbidden');
    // The API server learns of the role of the user only some time after it is ready.
    await until(async () => (await verdict(slow))?.code === 'ok');
    server.suspend('etcd');
    const agent = new Agent({ ca: server.authority.cert, cert, key });
    // One request that waits for etcd takes the only place. It is sent again if the place was taken at that moment.
    let waits = false;
    const takePlace = () => {
      if (waits) return;
      waits = true;
      const asked = request(`${server.url}/api/v1/namespaces/default`, { agent });
      asked.on('response', (answer) => answer.resume());
      asked.on('error', () => undefined);
      asked.on('close', () => {
        waits = false;
      });
      asked.end();
    };
    try {
      await eventually(async () => {
        takePlace();
        expect(await verdict(nobody, impatient)).toMatchObject({ state: 'alive', code: 'throttled' });
      });
    } finally {
      agent.destroy();
      server.resume('etcd');
      await server.stopServer();
      await server.startServer();
    }
  });

  test('is never unreachable while it starts, after its port is open', async () => {
    await server.stopServer();
    let running = await server.launchServer();
    const seen: string[] = [];
    await until(async () => {
      // On a slow machine it may end because etcd has not answered yet.
      if (running.exitCode !== null) running = await server.launchServer();
      const { state, code } = (await verdict()) ?? {};
      seen.push(`${state} ${code}`);
      return code === 'ok';
    });
    const afterOpening = seen.slice(seen.lastIndexOf('unreachable refused') + 1);
    expect(afterOpening.filter((each) => each.startsWith('unreachable'))).toEqual([]);
    expect(seen.filter((each) => each.startsWith('unverifiable'))).toEqual([]);
  });

  test('is unreachable while it is stopped, and the same cluster when it is back', async () => {
    await server.stopServer();
    expect(await verdict()).toMatchObject({ state: 'unreachable', code: 'refused' });
    await server.startServer();
    expect(await verdict()).toMatchObject({ state: 'alive', code: 'ok', uid: identity });
  });

  test('is unreachable for a kubeconfig from before its CA was rotated, and alive for a new one', async () => {
    const old = server.kubeconfig();
    await server.rotateAuthority();
    expect(await verdict(old)).toMatchObject({ state: 'unreachable', code: 'tls-mismatch' });
    expect(await verdict()).toMatchObject({ state: 'alive', code: 'ok', uid: identity });
  });

  test('has another identity if another cluster has taken its address', async () => {
    await server.replaceCluster();
    const seen = await verdict();
    expect(seen).toMatchObject({ state: 'alive', code: 'ok' });
    expect(seen?.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(seen?.uid).not.toBe(identity);
  });
});
