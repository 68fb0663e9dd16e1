import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Prober } from '../../../src/kubernetes/prober/prober.ts';
import type { ProbeTarget } from '../../../src/kubernetes/prober/prober-messages.ts';
import { ProberOptions } from '../../../src/kubernetes/settings/prober-options.ts';
import { Authority } from '../../support/pki.ts';
import type { PeerProbes, PeerReport } from '../peers/probe.ts';
import type { Bench, Row } from '../support/bench.ts';
import { interleaved, type Sample } from '../support/measure.ts';
import { atLeast, rateAgainst, within } from '../support/report.ts';
import { end } from '../support/resources.ts';

const CONCURRENCY = 200;
const MIB = 1_048_576;

/**
 * Row 10: API servers that are well are probed, 200 at once, each over a connection and a handshake of its own, by a fresh
 * process. Server and prober share the cores, which makes the ratios smaller than what the probers' own work would give.
 */
export const probing: Row = {
  number: 10,
  async run(bench) {
    const authority = new Authority('bench');
    const server = fork(new URL('../peers/api-server.ts', import.meta.url), { execArgv: [] });
    bench.resources.onRelease(() => end(server));
    server.send(authority.issue({ commonName: 'api', hosts: ['127.0.0.1'] }));
    const [port] = (await once(server, 'message')) as [number];
    const kubeconfig = kubeconfigFor(port, authority.cert);
    const most = { ours: 0, client: 0 };
    const peer = async (kind: PeerProbes['kind']): Promise<Sample> => {
      const { seconds } = bench.options;
      const order = { kind, kubeconfig, port, ca: authority.cert, concurrency: CONCURRENCY, seconds };
      const { perSecond, mostRssBytes } = await measured(bench, order);
      if (kind === 'client') most.client = Math.max(most.client, mostRssBytes);
      return { value: perSecond };
    };
    const ours = async () => {
      const { perSecond, mostRssBytes } = await measuredOurs(bench, kubeconfig);
      most.ours = Math.max(most.ours, mostRssBytes);
      return { value: perSecond };
    };
    const [own, client, version, bare] = await interleaved(
      [
        { name: 'ours', measure: ours },
        { name: '@kubernetes/client-node', measure: () => peer('client') },
        { name: 'the same, /version alone', measure: () => peer('client-version') },
        { name: 'node:https, /version alone', measure: () => peer('bare') },
      ],
      bench.rounds,
      bench,
    );
    await end(server);
    if (own === undefined || client === undefined || version === undefined)
      throw new Error('nothing was measured');
    return [
      {
        row: '10',
        work: `probing API servers that are well, ${CONCURRENCY} at once`,
        unit: 'probes/s',
        ours: own,
        floor: bare,
        peers: [client, version],
        verdicts: [
          atLeast(own, client, 1.6),
          rateAgainst(own, version),
          within('memory of the prober, MiB', Math.round(most.ours / MIB), 300, 'MiB'),
        ],
        notes: [`the process of @kubernetes/client-node took up to ${Math.round(most.client / MIB)} MiB`],
      },
    ];
  },
};

async function measured(bench: Bench, order: PeerProbes): Promise<PeerReport> {
  const child = fork(new URL('../peers/probe.ts', import.meta.url), { execArgv: [] });
  bench.resources.onRelease(() => end(child));
  child.send(order);
  const [report] = (await once(child, 'message')) as [PeerReport];
  await end(child);
  return report;
}

async function measuredOurs(bench: Bench, kubeconfig: string): Promise<PeerReport> {
  const options = ProberOptions.parse({
    concurrency: CONCURRENCY,
    perHost: { perSecond: 100_000, burst: 100_000 },
    addresses: { allow: ['127.0.0.0/8'] },
  });
  const prober = new Prober(options, { now: Date.now, log: { warn: () => undefined } });
  bench.resources.onRelease(() => prober.stop());
  await prober.start();
  let mostRssBytes = 0;
  const look = async () => {
    mostRssBytes = Math.max(mostRssBytes, (await prober.stats())?.rssBytes ?? 0);
  };
  const watch = setInterval(() => void look(), 50);
  const startedAt = performance.now();
  const endsAt = startedAt + bench.options.seconds * 1_000;
  const targets = function* (): Generator<ProbeTarget> {
    for (let i = 0; performance.now() < endsAt; i++) yield { clusterId: `c-${i}`, kubeconfig };
  };
  let done = 0;
  for await (const { verdict } of prober.probe(targets())) {
    if (verdict.code !== 'ok') throw new Error(`a healthy server was found ${verdict.code}`);
    done += 1;
  }
  const perSecond = done / ((performance.now() - startedAt) / 1_000);
  clearInterval(watch);
  await prober.stop();
  return { perSecond, mostRssBytes };
}

function kubeconfigFor(port: number, ca: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'c',
        cluster: {
          server: `https://127.0.0.1:${port}`,
          'certificate-authority-data': Buffer.from(ca).toString('base64'),
        },
      },
    ],
    users: [{ name: 'u', user: { token: 'a-token' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}
