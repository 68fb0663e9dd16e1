import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Real EventStoreDB nodes, started from an `eventstored` binary on the PATH. */

export function hasEventStored(): boolean {
  return spawnSync('eventstored', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Ports that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

export class EventStored {
  readonly port: number;
  readonly #options: readonly string[];
  #process: ChildProcess | undefined;

  constructor(port: number, options: readonly string[]) {
    this.port = port;
    this.#options = options;
  }

  /** Starts the node and waits until it serves requests as the leader or a follower. */
  async start(): Promise<void> {
    this.#spawn();
    const startedAt = performance.now();
    while (!(await this.isLive()) || !['leader', 'follower'].includes((await this.#state()) ?? '')) {
      if (this.#process?.exitCode) throw new Error(`eventstored ended with ${this.#process.exitCode}`);
      if (performance.now() - startedAt > 300_000)
        throw new Error('eventstored did not become live in 300 s');
      await wait(50);
    }
  }

  /** A node that finds that its log differs from that of the leader ends with 0, and truncates its log at the next start. */
  #spawn(): void {
    const child = spawn('eventstored', this.#options, { stdio: 'ignore' });
    this.#process = child;
    child.once('exit', (code) => {
      if (code === 0 && this.#process === child) this.#spawn();
    });
  }

  async isLive(): Promise<boolean> {
    const answer = await fetch(`http://127.0.0.1:${this.port}/health/live`).catch(() => undefined);
    return answer?.status === 204;
  }

  async isLeader(): Promise<boolean> {
    return (await this.#state()) === 'leader';
  }

  async #state(): Promise<string | undefined> {
    const answer = await fetch(`http://127.0.0.1:${this.port}/info`).catch(() => undefined);
    if (answer?.ok !== true) return undefined;
    return ((await answer.json()) as { state?: string }).state;
  }

  /** Sends a signal, such as SIGSTOP, which makes the node hang, and SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const exited = once(running, 'exit');
    running.kill(signal);
    await exited;
  }
}

const COMMON = [
  '--insecure=true',
  '--node-ip=127.0.0.1',
  '--replication-ip=127.0.0.1',
  '--run-projections=None',
  '--stream-existence-filter-size=1000000',
];

/** Starts one node on a folder of its own. */
export async function startSingleNode(): Promise<{
  url: string;
  node: EventStored;
  remove(): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'eventstored-'));
  const [port, replication] = (await freePorts(2)) as [number, number];
  const node = new EventStored(port, [
    ...COMMON,
    `--node-port=${port}`,
    `--replication-port=${replication}`,
    `--db=${join(folder, 'db')}`,
    `--log=${join(folder, 'log')}`,
  ]);
  const remove = async () => {
    await node.stop('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  };
  await startOrRemove([node], remove);
  return { url: `esdb://127.0.0.1:${port}?tls=false`, node, remove };
}

/** Starts three nodes that replicate to each other. */
export async function startCluster(): Promise<{
  url: string;
  nodes: EventStored[];
  remove(): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'eventstored-'));
  const ports = await freePorts(6);
  const [a, b, c, ...replication] = ports as [number, number, number, number, number, number];
  const nodes = [a, b, c].map(
    (port, i) =>
      new EventStored(port, [
        ...COMMON,
        '--cluster-size=3',
        '--discover-via-dns=false',
        `--gossip-seed=${[a, b, c].filter((other) => other !== port).map((other) => `127.0.0.1:${other}`)}`,
        `--node-port=${port}`,
        `--replication-port=${replication[i]}`,
        `--db=${join(folder, `db-${i}`)}`,
        `--log=${join(folder, `log-${i}`)}`,
      ]),
  );
  const remove = async () => {
    await Promise.all(nodes.map((node) => node.stop('SIGKILL')));
    await rm(folder, { recursive: true, force: true });
  };
  await startOrRemove(nodes, remove);
  return { url: `esdb://127.0.0.1:${a},127.0.0.1:${b},127.0.0.1:${c}?tls=false`, nodes, remove };
}

/** Starts nodes. If one cannot be started, removes all of them. */
async function startOrRemove(nodes: readonly EventStored[], remove: () => Promise<void>): Promise<void> {
  try {
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The node that leads, once there is one. */
export async function leaderOf(nodes: readonly EventStored[]): Promise<EventStored> {
  for (;;) {
    for (const node of nodes) if (await node.isLeader()) return node;
    await wait(100);
  }
}
