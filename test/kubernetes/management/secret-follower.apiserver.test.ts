import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Step } from '../../../src/domain/kubefirst/record-step.ts';
import { ManagementCluster } from '../../../src/kubernetes/management/management-cluster.ts';
import { followSecrets } from '../../../src/kubernetes/management/secret-follower.ts';
import { textOf } from '../../../src/kubernetes/management/secrets-api.ts';
import { startProxy } from '../../eventstoredb/tcp-proxy.ts';
import { hasKubeApiserver, KubeApiserver, NO_KUBE_APISERVER } from '../../support/kube-apiserver.ts';
import { KubernetesApi } from '../../support/kubernetes-api.ts';
import { until } from '../../support/until.ts';

const where = hasKubeApiserver() ? 'a real kube-apiserver' : NO_KUBE_APISERVER;

/** Watches that end soon, and on time even if this machine is slow. */
const SHORT = { seconds: 1, graceMs: 60_000 };
/** Notices soon that nothing comes any more. */
const IMPATIENT = { seconds: 1, graceMs: 5_000 };

describe.skipIf(!hasKubeApiserver())(`following the Secrets of ${where}`, () => {
  let server: KubeApiserver;
  let api: KubernetesApi;
  beforeAll(async () => {
    server = await KubeApiserver.start();
    api = await KubernetesApi.open(server);
  });
  afterAll(async () => {
    await api?.close();
    await server?.remove();
  });

  /** Collects steps as they arrive, until the test ends. */
  async function follow(
    namespace: string,
    port: number,
    { watchTimes = SHORT, ...more }: { watchTimes?: typeof SHORT; listAgainMs?: number } = {},
  ) {
    const kubeconfig = await api.kubeconfigFile(undefined, port);
    const cluster = new ManagementCluster({ kubeconfig }, { watchTimes });
    const ending = new AbortController();
    const select = (secret: Parameters<typeof textOf>[0]) => textOf(secret, 'value');
    const steps = followSecrets({
      cluster,
      namespace,
      select,
      signal: ending.signal,
      firstPauseMs: 10,
      ...more,
    });
    const next = async (): Promise<Step<string>> => {
      const { value } = await steps.next();
      if (value === undefined) throw new Error('following has ended');
      return value;
    };
    const end = async () => {
      ending.abort();
      expect((await steps.next()).done).toBe(true);
      await cluster.close();
    };
    return { next, end };
  }

  test('yields the current Secrets, then their changes, across several watches', async () => {
    await api.namespace('calm');
    await api.createSecret('calm', 'a', { value: '1' });
    const { next, end } = await follow('calm', server.port);
    expect(await next()).toEqual({ kind: 'listed', items: new Map([['a', '1']]) });
    await api.createSecret('calm', 'b', { value: '2' });
    expect(await next()).toEqual({ kind: 'changed', name: 'b', item: '2' });
    // A watch lasts a second here: no change is missed or repeated between two watches.
    const endsAt = performance.now() + 2_500;
    for (let n = 3; performance.now() < endsAt; n++) {
      await api.replaceSecret('calm', 'b', { value: String(n) });
      expect(await next()).toEqual({ kind: 'changed', name: 'b', item: String(n) });
    }
    await api.createSecret('calm', 'other', { another: 'x' });
    await api.deleteSecret('calm', 'a');
    expect(await next()).toEqual({ kind: 'gone', name: 'a' });
    await end();
  });

  test('lists again from time to time, even if nothing was missed', async () => {
    await api.namespace('again');
    const { next, end } = await follow('again', server.port, { listAgainMs: 500 });
    expect(await next()).toEqual({ kind: 'listed', items: new Map() });
    expect(await next()).toEqual({ kind: 'listed', items: new Map() });
    await end();
  });

  test('notices a silent connection and resumes', async () => {
    await api.namespace('stalled');
    const proxy = await startProxy(server.port);
    try {
      const { next, end } = await follow('stalled', proxy.port, { watchTimes: IMPATIENT });
      expect((await next()).kind).toBe('listed');
      const second = next();
      await until(() => proxy.connections > 0);
      proxy.stall();
      await api.createSecret('stalled', 'a', { value: '1' });
      expect(await second).toEqual({
        kind: 'unreadable',
        why: 'the management cluster cannot be read: TimeoutError',
      });
      proxy.cut();
      proxy.resume();
      // On a slow machine, the first watches afterwards may seem silent, too.
      const steps: Step<string>[] = [];
      while (steps.at(-1)?.kind !== 'changed') {
        const step = await next();
        if (step.kind !== 'unreadable') steps.push(step);
      }
      expect(steps[0]).toEqual({ kind: 'resumed' });
      expect(steps.at(-1)).toEqual({ kind: 'changed', name: 'a', item: '1' });
      await end();
    } finally {
      await proxy.close();
    }
  });

  test('ends at once, even while the server does not answer', async () => {
    await api.namespace('ending');
    const proxy = await startProxy(server.port);
    try {
      const { next, end } = await follow('ending', proxy.port);
      expect((await next()).kind).toBe('listed');
      await proxy.refuse(true);
      proxy.cut();
      expect((await next()).kind).toBe('unreadable');
      await end();
    } finally {
      await proxy.close();
    }
  });
});
