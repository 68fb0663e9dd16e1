import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EventStoreDBClient } from '@eventstore/db-client';

/** Real EventStoreDB nodes, started from an `eventstored` binary on the PATH. */

export function hasEventStored(): boolean {
  return spawnSync('eventstored', ['--version'], { stdio: 'ignore' }).status === 0;
}

/**
 * Ports for processes that begin to listen later. Systems give the ports from 32,768 on to all that listen or connect without a
 * choice, such as the other tests, so that those below stay free.
 */
const PORTS = { first: 11_000, last: 32_767 };
let next = PORTS.first + 100 * (process.pid % 200);

/** Returns ports that nobody listens on, and that this process returns to nobody else soon. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = next;
    next = port < PORTS.last ? port + 1 : PORTS.first;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  await once(server.close(), 'close');
  return true;
}

export class EventStored {
  readonly port: number;
  readonly #options: readonly string[];
  readonly #environment: () => Readonly<Record<string, string>>;
  /** Answers over TLS, by this authority. */
  readonly #ca: string | undefined;
  #process: ChildProcess | undefined;

  /** @param environment returns variables that the next start has in addition. @param ca authority of a node with TLS, PEM. */
  constructor(port: number, options: readonly string[], { environment = () => ({}), ca }: NodeOptions = {}) {
    this.port = port;
    this.#options = options;
    this.#environment = environment;
    this.#ca = ca;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Whether the process has ended without being stopped. */
  get hasEnded(): boolean {
    return (
      this.#process !== undefined && (this.#process.exitCode !== null || this.#process.signalCode !== null)
    );
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
    // biome-ignore lint/style/noProcessEnv: the node needs the PATH of this process.
    const env = { ...process.env, ...this.#environment() };
    const child = spawn('eventstored', this.#options, { stdio: 'ignore', env });
    this.#process = child;
    child.once('exit', (code) => {
      if (code === 0 && this.#process === child) this.#spawn();
    });
  }

  async isLive(): Promise<boolean> {
    return (await this.request('GET', '/health/live').catch(() => undefined))?.status === 204;
  }

  async isLeader(): Promise<boolean> {
    return (await this.#state()) === 'leader';
  }

  async #state(): Promise<string | undefined> {
    const answer = await this.request('GET', '/info').catch(() => undefined);
    if (answer?.status !== 200) return undefined;
    return (JSON.parse(answer.text) as { state?: string }).state;
  }

  /** Asks the node over HTTP, as its administrator. */
  async request(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const options = {
      method,
      auth: ADMINISTRATOR,
      headers: { 'content-type': 'application/json' },
      ...(this.#ca !== undefined && { ca: this.#ca, servername: 'localhost' }),
    };
    const place = `127.0.0.1:${this.port}${path}`;
    const sent =
      this.#ca === undefined
        ? request(`http://${place}`, options)
        : secureRequest(`https://${place}`, options);
    sent.setTimeout(10_000, () => sent.destroy(new Error('no answer')));
    sent.end(body === undefined ? '' : JSON.stringify(body));
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    return { status: answer.statusCode ?? 0, text };
  }

  /** Removes from its files what was deleted. */
  async scavenge(): Promise<void> {
    const { status, text } = await this.request('POST', '/admin/scavenge');
    if (status >= 300) throw new Error(`no scavenge: ${status} ${text}`);
  }

  /** Lets a leader give up its role. Its connections stay. */
  async resign(): Promise<void> {
    const { status, text } = await this.request('POST', '/admin/node/resign');
    if (status >= 300) throw new Error(`the leader does not resign: ${status} ${text}`);
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

interface NodeOptions {
  readonly environment?: () => Readonly<Record<string, string>>;
  readonly ca?: string;
}

const ADMINISTRATOR = 'admin:changeit';

const COMMON = [
  '--node-ip=127.0.0.1',
  '--replication-ip=127.0.0.1',
  '--run-projections=None',
  '--stream-existence-filter-size=1000000',
];

const INSECURE = '--insecure=true';

/** A node on a folder of its own. */
interface SingleNode {
  readonly url: string;
  readonly node: EventStored;
  readonly folder: string;
  remove(): Promise<void>;
}

/** Starts one node on a folder of its own. @param environment returns variables that the next start has in addition. */
export async function startSingleNode(environment?: NodeOptions['environment']): Promise<SingleNode> {
  const folder = await mkdtemp(join(tmpdir(), 'eventstored-'));
  const [port, replication] = (await freePorts(2)) as [number, number];
  const node = new EventStored(
    port,
    [INSECURE, ...singleNodeOptions(folder, port, replication)],
    environment === undefined ? {} : { environment },
  );
  const remove = async () => {
    await node.stop('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  };
  await startOrRemove([node], remove);
  return { url: `esdb://127.0.0.1:${port}?tls=false`, node, folder, remove };
}

function singleNodeOptions(folder: string, port: number, replication: number): string[] {
  return [
    ...COMMON,
    `--node-port=${port}`,
    `--replication-port=${replication}`,
    `--db=${join(folder, 'db')}`,
    `--log=${join(folder, 'log')}`,
  ];
}

/**
 * Starts one node with TLS and users. Its URL has the user `ledger`, which has the rights that docs/how-to/use-eventstoredb.md gives,
 * and no others.
 */
export async function startSecureNode(): Promise<SingleNode> {
  const folder = await mkdtemp(join(tmpdir(), 'eventstored-'));
  const [port, replication] = (await freePorts(2)) as [number, number];
  const certificates = await makeCertificates(join(folder, 'certificates'));
  const node = new EventStored(
    port,
    [
      `--certificate-file=${certificates.cert}`,
      `--certificate-private-key-file=${certificates.key}`,
      `--trusted-root-certificates-path=${certificates.authorities}`,
      ...singleNodeOptions(folder, port, replication),
    ],
    { ca: await readFile(certificates.ca, 'utf8') },
  );
  const remove = async () => {
    await node.stop('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  };
  await startOrRemove([node], remove);
  const place = `127.0.0.1:${port}?tls=true&tlsCaFile=${certificates.ca}`;
  const user = { loginName: 'ledger', fullName: 'cluster-ledger', password: 'only-for-tests', groups: [] };
  const { status, text } = await node.request('POST', '/users/', user);
  if (status !== 201) throw new Error(`no user: ${status} ${text}`);
  const client = EventStoreDBClient.connectionString(`esdb://${ADMINISTRATOR}@${place}`);
  await client.setStreamMetadata('$all', { acl: { readRoles: ['$admins', 'ledger'] } });
  await client.dispose();
  return { url: `esdb://ledger:only-for-tests@${place}`, node, folder, remove };
}

/** Makes an authority and the certificate of a node with OpenSSL. @returns the paths of the files */
async function makeCertificates(folder: string) {
  const authorities = join(folder, 'authorities');
  await mkdir(authorities, { recursive: true });
  const [ca, caKey] = [join(authorities, 'ca.crt'), join(folder, 'ca.key')];
  const [cert, key, csr] = [join(folder, 'node.crt'), join(folder, 'node.key'), join(folder, 'node.csr')];
  const openssl = (...args: string[]) => {
    const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  };
  const rsa = ['-newkey', 'rsa:2048', '-nodes'];
  openssl('req', '-x509', ...rsa, '-keyout', caKey, '-out', ca, '-days', '2', '-subj', '/CN=test authority');
  openssl('req', ...rsa, '-keyout', key, '-out', csr, '-subj', '/CN=eventstoredb-node');
  const extensions = join(folder, 'extensions');
  await writeFile(
    extensions,
    'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\nkeyUsage=digitalSignature,keyEncipherment\n',
  );
  const signed = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', extensions];
  openssl('x509', '-req', '-in', csr, '-out', cert, ...signed);
  return { authorities, ca, cert, key };
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
        INSECURE,
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
