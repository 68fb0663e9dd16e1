import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Prober } from '../../src/kubernetes/prober/prober.ts';
import { ProberOptions } from '../../src/kubernetes/settings/prober-options.ts';
import { hasKubeApiserver, KubeApiserver, NO_KUBE_APISERVER } from '../support/kube-apiserver.ts';
import { base64 } from './probe/fleet.ts';

const name = hasKubeApiserver() ? 'a real kube-apiserver' : NO_KUBE_APISERVER;

describe.skipIf(!hasKubeApiserver())(name, () => {
  let server: KubeApiserver;
  let prober: Prober;
  let identity: string | undefined;

  beforeAll(async () => {
    server = await KubeApiserver.start();
    const options = ProberOptions.parse({ addresses: { allow: ['127.0.0.0/8'] } });
    prober = new Prober(options, { now: Date.now, log: { warn: () => undefined } });
    await prober.start();
  });
  afterAll(async () => {
    await prober?.stop();
    await server?.remove();
  });

  async function verdict(kubeconfig = server.kubeconfig()) {
    const [result] = await Array.fromAsync(prober.probe([{ clusterId: 'c', kubeconfig }]));
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
