import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { ValidatorSettings } from '../../config/validator-settings.ts';
import { LocalServer } from './local-server.ts';

/** Decides which clusters answer. */
interface Running {
  has(clusterId: string): boolean;
}

/** Plays the API servers of the sample clusters, so that the validator has something to ask: each behind a path of its own. */
export class SampleClusters {
  readonly #folder: string;
  readonly #server: LocalServer;
  readonly #running: Running;

  private constructor(folder: string, server: LocalServer, running: Running) {
    this.#folder = folder;
    this.#server = server;
    this.#running = running;
  }

  /** Begins to listen. No cluster answers as an API server yet. @param folder where kubeconfigs are written; it is created. */
  static async start(folder: string): Promise<SampleClusters> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const running: Running = { has: () => false };
    const server = await LocalServer.start(({ url = '' }, response) => {
      const [, clusterId = '', ...path] = url.split('/').map(decodeURIComponent);
      if (running.has(clusterId)) answer(clusterId, path.join('/'), response);
      // The load balancer that is left when a cluster is gone.
      else response.writeHead(404, { 'content-type': 'text/plain' }).end('default backend - 404');
    });
    return new SampleClusters(folder, server, running);
  }

  /** Settings with which the validator asks the clusters. They stay on this machine, so nothing is encrypted or slowed down. */
  settings(configured: ValidatorSettings): ValidatorSettings {
    return {
      ...configured,
      // A run while the sample data are recorded would be one in the past: the demo asks for each run.
      schedule: 'off',
      credentials: { ...configured.credentials, directory: this.#folder },
      probe: {
        ...configured.probe,
        allowPlainHttp: true,
        perHost: { perSecond: 1_000, burst: 1_000 },
        addresses: { ...configured.probe.addresses, allow: ['127.0.0.1/32'] },
      },
    };
  }

  /** Writes the kubeconfig of a cluster, as `connection` of its registration names it. */
  async add(clusterId: string): Promise<void> {
    const server = `${this.#server.url}/${encodeURIComponent(clusterId)}`;
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: clusterId, cluster: { server } }],
      users: [{ name: 'ledger', user: { token: 'sample' } }],
      contexts: [{ name: clusterId, context: { cluster: clusterId, user: 'ledger' } }],
      'current-context': clusterId,
    };
    await writeFile(join(this.#folder, `${clusterId}.yaml`), JSON.stringify(kubeconfig), { mode: 0o600 });
  }

  /** Answers from now on for the clusters for which a condition holds. */
  run(isRunning: (clusterId: string) => boolean): void {
    this.#running.has = isRunning;
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

/** Answers as an API server does. */
function answer(clusterId: string, path: string, response: ServerResponse): void {
  const json = (body: object) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (path === 'readyz') response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
  else if (path === 'version')
    json({ major: '1', minor: '34', gitVersion: 'v1.34.1', platform: 'linux/amd64' });
  else json({ kind: 'Namespace', metadata: { name: 'kube-system', uid: uidOf(clusterId) } });
}

/** Returns the UID of the namespace kube-system of a cluster: the same at each start. */
function uidOf(clusterId: string): string {
  const hex = createHash('sha256').update(clusterId).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
