import { request } from 'node:https';
import { createSecureContext } from 'node:tls';
import { CoreV1Api, Health, KubeConfig, VersionApi } from '@kubernetes/client-node';

/** Other probes of an API server, in a separate process as the prober is. */

export interface PeerProbes {
  /**
   * `client`: the official client, its configuration read anew for each cluster, asks what we ask. `client-version`: it asks for
   * the version alone. `bare`: node:https with everything kept asks for the version alone, and reads no kubeconfig.
   */
  readonly kind: 'client' | 'client-version' | 'bare';
  readonly kubeconfig: string;
  readonly port: number;
  readonly ca: string;
  readonly concurrency: number;
  readonly seconds: number;
}
export interface PeerReport {
  readonly perSecond: number;
  readonly mostRssBytes: number;
}

function prober({ kind, kubeconfig, port, ca }: PeerProbes): () => Promise<void> {
  if (kind === 'bare') return bare(port, ca);
  return async () => {
    const config = new KubeConfig();
    config.loadFromString(kubeconfig);
    if (kind === 'client') {
      const isReady = await new Health(config).readyz({});
      if (!isReady) throw new Error('not ready');
    }
    const { gitVersion } = await config.makeApiClient(VersionApi).getCode();
    if (gitVersion === '') throw new Error('no version');
    if (kind === 'client') await config.makeApiClient(CoreV1Api).readNamespace({ name: 'kube-system' });
  };
}

function bare(port: number, ca: string): () => Promise<void> {
  const secureContext = createSecureContext({ ca });
  return () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const options = { host: '127.0.0.1', port, path: '/version', secureContext, agent: false };
    const asked = request(options, (answer) => {
      answer.resume().on('end', () => resolve());
    });
    asked.on('error', reject).end();
    return promise;
  };
}

async function measure(order: PeerProbes): Promise<PeerReport> {
  const probe = prober(order);
  const startedAt = performance.now();
  const endsAt = startedAt + order.seconds * 1_000;
  let done = 0;
  let mostRssBytes = 0;
  const watch = setInterval(() => {
    mostRssBytes = Math.max(mostRssBytes, process.memoryUsage.rss());
  }, 50);
  const work = async () => {
    while (performance.now() < endsAt) {
      await probe();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: order.concurrency }, work));
  clearInterval(watch);
  return { perSecond: done / ((performance.now() - startedAt) / 1_000), mostRssBytes };
}

if (process.send !== undefined) {
  const send = process.send.bind(process);
  process.once('message', (order: PeerProbes) => void measure(order).then(send));
  process.on('disconnect', () => process.exit(0));
}
