import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePorts } from './eventstored.ts';
import { Authority } from './pki.ts';

/** Folder of kube-apiserver and etcd, by the convention of envtest. */
// biome-ignore lint/style/noProcessEnv: the folder differs from machine to machine.
const { KUBEBUILDER_ASSETS: assets = '/usr/local/kubebuilder/bin' } = process.env;

/** Title of tests that need a kube-apiserver and are not run. */
export const NO_KUBE_APISERVER = `NOT RUN: no kube-apiserver and etcd in ${assets} (KUBEBUILDER_ASSETS)`;

export function hasKubeApiserver(): boolean {
  try {
    for (const name of ['kube-apiserver', 'etcd']) accessSync(join(assets, name), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Below the limit of a test, so that it reports what the API server has printed. */
const START_MS = 240_000;

/**
 * A real Kubernetes API server with an etcd of its own, on loopback. It can be stopped and started again on the same data
 * and port, get another authority, or lose its data and so become another cluster. Never run two at a time.
 */
export class KubeApiserver {
  readonly port: number;
  /** May do everything. */
  readonly adminToken = `admin-${randomBytes(16).toString('hex')}`;
  /** Is known, and may do nothing. */
  readonly nobodyToken = `nobody-${randomBytes(16).toString('hex')}`;
  readonly #folder: string;
  readonly #etcdPorts: readonly [number, number];
  #authority = new Authority('cluster-ca');
  #generation = 0;
  #etcd: ChildProcess | undefined;
  #server: ChildProcess | undefined;
  #serverKey = '';
  #output = '';

  private constructor(folder: string, [port, client, peer]: [number, number, number]) {
    this.#folder = folder;
    this.port = port;
    this.#etcdPorts = [client, peer];
  }

  static async start(): Promise<KubeApiserver> {
    const folder = await mkdtemp(join(tmpdir(), 'kube-apiserver-'));
    const server = new KubeApiserver(folder, (await freePorts(3)) as [number, number, number]);
    try {
      await server.#startEtcd();
      await server.startServer();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** Signs the server's certificate and those of clients. */
  get authority(): Authority {
    return this.#authority;
  }

  /** A kubeconfig for it, with the token or the client certificate that is given. */
  kubeconfig(user: Readonly<Record<string, string>> = { token: this.adminToken }): string {
    const ca = Buffer.from(this.#authority.cert).toString('base64');
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: this.url, 'certificate-authority-data': ca } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    });
  }

  /** Address of etcd, which has no TLS. */
  get etcdUrl(): string {
    return `http://127.0.0.1:${this.#etcdPorts[0]}`;
  }

  /** Suspends the API server or etcd: connections are accepted and never answered. */
  suspend(process: 'server' | 'etcd'): void {
    (process === 'server' ? this.#server : this.#etcd)?.kill('SIGSTOP');
  }

  resume(process: 'server' | 'etcd'): void {
    (process === 'server' ? this.#server : this.#etcd)?.kill('SIGCONT');
  }

  /** Signs a token for a Secret of a service account, as the token controller of Kubernetes does. */
  legacyToken(
    account: { readonly namespace: string; readonly name: string; readonly uid: string },
    secret: string,
  ) {
    const { namespace, name, uid } = account;
    const prefix = 'kubernetes.io/serviceaccount';
    const claims = {
      iss: 'kubernetes/serviceaccount',
      sub: `system:serviceaccount:${namespace}:${name}`,
      [`${prefix}/namespace`]: namespace,
      [`${prefix}/secret.name`]: secret,
      [`${prefix}/service-account.name`]: name,
      [`${prefix}/service-account.uid`]: uid,
    };
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const signed = `${encode({ alg: 'ES256', typ: 'JWT' })}.${encode(claims)}`;
    const key = { key: this.#serverKey, dsaEncoding: 'ieee-p1363' } as const;
    return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
  }

  /**
   * Starts the API server on the data that there is. Resolves once it is ready. An API server ends if etcd, on a slow machine, does
   * not answer within 20 seconds: it is started again, as Kubernetes does.
   */
  async startServer(more: readonly string[] = []): Promise<void> {
    const deadline = performance.now() + START_MS;
    while (!(await this.#isReady(await this.launchServer(more), deadline)));
  }

  /** Starts the API server without waiting for it. @param more further options of it. */
  async launchServer(more: readonly string[] = []): Promise<ChildProcess> {
    const file = (name: string) => join(this.#folder, name);
    const { cert, key } = this.#authority.issue({
      commonName: 'kube-apiserver',
      hosts: ['127.0.0.1', 'localhost'],
    });
    this.#serverKey = key;
    const tokens = `${this.adminToken},admin,1,system:masters\n${this.nobodyToken},nobody,2\n`;
    await Promise.all([
      writeFile(file('ca.crt'), this.#authority.cert),
      writeFile(file('server.crt'), cert),
      writeFile(file('server.key'), key),
      writeFile(file('tokens.csv'), tokens),
    ]);
    const options = [
      `--etcd-servers=http://127.0.0.1:${this.#etcdPorts[0]}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${this.port}`,
      '--insecure-port=0',
      `--cert-dir=${file('certs')}`,
      `--tls-cert-file=${file('server.crt')}`,
      `--tls-private-key-file=${file('server.key')}`,
      `--client-ca-file=${file('ca.crt')}`,
      `--token-auth-file=${file('tokens.csv')}`,
      '--authorization-mode=RBAC',
      '--disable-admission-plugins=ServiceAccount',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${file('server.crt')}`,
      `--service-account-signing-key-file=${file('server.key')}`,
      ...more,
    ];
    this.#server = this.#spawn('kube-apiserver', options);
    return this.#server;
  }

  /** Stops the API server; its data stays. */
  async stopServer(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await end(this.#server, signal);
    this.#server = undefined;
  }

  /** Lets another authority sign the server's certificate from now on: the former one's is no longer accepted. */
  async rotateAuthority(): Promise<void> {
    this.#authority = new Authority('cluster-ca-rotated');
    await this.stopServer();
    await this.startServer();
  }

  /** Another cluster comes up on the same address, with the same authority and tokens: only its identity differs. */
  async replaceCluster(): Promise<void> {
    await this.stopServer();
    await end(this.#etcd, 'SIGKILL');
    this.#generation += 1;
    await this.#startEtcd();
    await this.startServer();
  }

  /** Ends all of it and removes its folder. */
  async remove(): Promise<void> {
    await this.stopServer();
    await end(this.#etcd, 'SIGKILL');
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #startEtcd(): Promise<void> {
    const [client, peer] = this.#etcdPorts.map((port) => `http://127.0.0.1:${port}`);
    this.#etcd = this.#spawn('etcd', [
      `--data-dir=${join(this.#folder, `etcd-${this.#generation}`)}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
    ]);
  }

  #spawn(name: string, options: readonly string[]): ChildProcess {
    const child = spawn(join(assets, name), options, {
      env: { PATH: '' },
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: unknown) => {
      this.#output = (this.#output + String(chunk)).slice(-2_048);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    return child;
  }

  /** Waits until the API server is ready. @returns false if it has ended before. @throws Error at the deadline */
  async #isReady(running: ChildProcess, deadline: number): Promise<boolean> {
    for (const path of ['/readyz', '/api/v1/namespaces/kube-system'])
      while ((await this.#status(path)) !== 200) {
        if (performance.now() > deadline) throw new Error(`kube-apiserver is not ready:\n${this.#output}`);
        if (running.exitCode !== null || running.signalCode !== null) return false;
        await wait(100);
      }
    return true;
  }

  #status(path: string): Promise<number | undefined> {
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const asked = request(this.url + path, {
      ca: this.#authority.cert,
      headers: { authorization: `Bearer ${this.adminToken}` },
      agent: false,
    });
    asked.on('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on('error', () => resolve(undefined));
    asked.end();
    return promise;
  }
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
