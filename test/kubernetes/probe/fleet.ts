import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Authority, type Subject } from '../../support/pki.ts';
import type { Counts, FleetOrder } from './hostile-servers.ts';

const DAY_MS = 86_400_000;

/** The running servers of hostile-servers.ts, with the CA of the good ones. */
export class Fleet {
  readonly authority: Authority;
  readonly #process: ChildProcess;
  readonly #ports: Readonly<Record<string, number>>;

  private constructor(authority: Authority, process: ChildProcess, ports: Readonly<Record<string, number>>) {
    this.authority = authority;
    this.#process = process;
    this.#ports = ports;
  }

  /** @param more further names in the certificates, and the address to listen at: 127.0.0.1 by default. */
  static async start(
    more: { readonly hosts?: readonly string[]; readonly address?: string } = {},
  ): Promise<Fleet> {
    const authority = new Authority('fleet');
    const hosts = ['127.0.0.1', '::1', 'api.example.test', '*.clusters.example.test', ...(more.hosts ?? [])];
    const issue = (dates: Pick<Subject, 'notBefore' | 'notAfter'> = {}, by = authority, names = hosts) =>
      by.issue({ commonName: 'api', hosts: names, ...dates });
    const past = { notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
    const future = { notBefore: new Date(Date.now() + DAY_MS), notAfter: new Date(Date.now() + 2 * DAY_MS) };
    const stranger = new Authority('fleet');
    const upper = new Authority('upper', authority);
    const lower = new Authority('lower', upper);
    const below = issue(past, lower);
    const order: FleetOrder = {
      address: more.address ?? '127.0.0.1',
      good: issue(),
      bad: {
        expired: issue(past),
        'expired-in-a-chain': { ...below, cert: below.cert + lower.cert + upper.cert },
        'not-yet-valid': issue(future),
        'wrong-name': issue({}, authority, ['other.example.test']),
        'expired-wrong-name': issue(past, authority, ['other.example.test']),
        stranger: issue({}, stranger),
        'expired-stranger': issue(past, stranger),
      },
    };
    const child = fork(new URL('./hostile-servers.ts', import.meta.url), [], { env: {}, execArgv: [] });
    child.send(order);
    const [ports] = (await once(child, 'message')) as [Record<string, number>];
    return new Fleet(authority, child, ports);
  }

  get behaviours(): readonly string[] {
    return Object.keys(this.#ports);
  }

  port(behaviour: string): number {
    const port = this.#ports[behaviour];
    if (port === undefined) throw new Error(`no server is ${behaviour}`);
    return port;
  }

  /** Returns a kubeconfig for one of the servers. */
  kubeconfig(
    behaviour: string,
    more: { readonly host?: string; readonly token?: string; readonly cluster?: object } = {},
  ): string {
    const { host = '127.0.0.1', token = 'a-token', cluster = {} } = more;
    return kubeconfig(
      {
        server: `https://${host}:${this.port(behaviour)}`,
        'certificate-authority-data': base64(this.authority.cert),
        ...cluster,
      },
      { token },
    );
  }

  /** Returns the connection and request counts so far. */
  async counts(): Promise<Counts> {
    this.#process.send('counts');
    const [counts] = (await once(this.#process, 'message')) as [Counts];
    return counts;
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }
}

/** Returns a kubeconfig as tools write it. */
export function kubeconfig(cluster: object, user: object): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    preferences: {},
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'default' } }],
    'current-context': 'x',
  });
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
