/**
 * Code of the probing process. It has no environment, cannot start a process, reads only its code and the
 * credentials, and is the only process that holds credentials of customers. It ends when the server does.
 */

import type { Socket } from 'node:net';
import type { Verdict } from '../../domain/validation/judging/verdict.ts';
import { AddressPolicy } from '../../util/address-policy.ts';
import type { Credential } from '../credentials/credential.ts';
import { CredentialRefused, resolveConnection, whyAbsent } from '../credentials/credential-source.ts';
import type { Endpoint } from '../credentials/endpoint.ts';
import { endpointOf, parseKubeconfig } from '../credentials/kubeconfig.ts';
import { type OpenSources, openSources } from '../credentials/open-sources.ts';
import { readInventories } from '../credentials/read-inventories.ts';
import { followRecords } from '../management/kubefirst-records.ts';
import { ManagementCluster } from '../management/management-cluster.ts';
import { SourceUnreadable } from '../management/source-unreadable.ts';
import { toStepMessage, type WorkerCommand, type WorkerReport } from '../prober/prober-messages.ts';
import type { ProberOptions } from '../settings/prober-options.ts';
import { failureOf, probe } from './probe.ts';
import { ProbeFailure } from './probe-failure.ts';
import { HostRateLimiter, ProbeThrottle, Semaphore } from './probe-throttle.ts';
import { SecureContexts } from './tls-contexts.ts';

type ProbeOrder = Extract<WorkerCommand, { kind: 'probe' }>;
type FollowOrder = Extract<WorkerCommand, { kind: 'follow' }>;

class Worker {
  readonly #options: ProberOptions;
  readonly #policy: AddressPolicy;
  readonly #contexts = new SecureContexts();
  readonly #sockets = new Set<Socket>();
  readonly #semaphore: Semaphore;
  readonly #rateLimiter: HostRateLimiter;
  readonly #activeProbes = new Map<number, AbortController>();
  readonly #send: (report: WorkerReport) => void;
  readonly #sources: OpenSources;
  readonly #following = new Map<number, AbortController>();

  constructor(options: ProberOptions, say: (report: WorkerReport) => void) {
    this.#options = options;
    this.#sources = openSources(options.credentials, options);
    this.#policy = new AddressPolicy(options.addresses);
    this.#semaphore = new Semaphore(options.concurrency);
    this.#rateLimiter = new HostRateLimiter(options.perHost);
    this.#send = say;
  }

  async probe(order: ProbeOrder): Promise<void> {
    const abort = new AbortController();
    this.#activeProbes.set(order.id, abort);
    await this.#semaphore.acquire();
    try {
      const verdict = await this.#verdict(order, abort.signal);
      if (!abort.signal.aborted) this.#send({ kind: 'verdict', id: order.id, verdict });
    } finally {
      this.#semaphore.release();
      this.#activeProbes.delete(order.id);
    }
  }

  abort(ids: readonly number[]): void {
    for (const id of ids) this.#activeProbes.get(id)?.abort();
  }

  /** Forgets what the sources have read: a credential that was just corrected is used at once. */
  refresh(): void {
    for (const source of this.#sources.sources) source.refresh?.();
  }

  stats(): WorkerReport {
    const { rss, heapUsed } = process.memoryUsage();
    return {
      kind: 'pong',
      stats: {
        sockets: this.#sockets.size,
        probes: this.#activeProbes.size,
        rssBytes: rss,
        heapBytes: heapUsed,
        contexts: this.#contexts.size,
      },
    };
  }

  /** Reports the inventories of the sources, which contain no secrets. An unreadable source does not fail the call. */
  async inventory(): Promise<void> {
    const signal = AbortSignal.timeout(INVENTORY_MS);
    this.refresh();
    const readings = await readInventories(this.#sources.sources, signal);
    this.#send({ kind: 'inventory', readings });
  }

  async #verdict(order: ProbeOrder, signal: AbortSignal): Promise<Verdict> {
    const at = () => Date.now();
    let endpoint: Endpoint | 'absent';
    try {
      if (signal.aborted) throw new ProbeFailure('unknown', 'timeout', 'the run was ended');
      endpoint = await this.#endpoint(order, signal);
    } catch (error) {
      const { state, code, message } =
        error instanceof SourceUnreadable
          ? new ProbeFailure('unverifiable', 'source-unreadable', error.message)
          : failureOf(error, signal);
      return { state, code, detail: message.slice(0, 300), at: at() };
    }
    if (endpoint === 'absent') {
      const detail = whyAbsent(order.connection, this.#sources.sources).slice(0, 300);
      return { state: 'unverifiable', code: 'no-credential', detail, at: at() };
    }
    const shared = {
      policy: this.#policy,
      contexts: this.#contexts,
      sockets: this.#sockets,
      names: { servers: this.#options.dnsServers, searchDomains: this.#options.searchDomains },
      random: Math.random,
      now: Date.now,
      throttle: new ProbeThrottle(this.#semaphore, this.#rateLimiter),
    };
    return probe(endpoint, shared, this.#options.deadlineMs, signal);
  }

  async #endpoint({ connection, kubeconfig }: ProbeOrder, signal: AbortSignal): Promise<Endpoint | 'absent'> {
    if (kubeconfig !== undefined) return parseKubeconfig(kubeconfig, this.#options);
    const credential = await this.#credential(connection, signal);
    return credential === 'absent' ? credential : endpointOf(credential.reveal(), this.#options);
  }

  /** Reads a credential. A source that does not answer in time is unreadable. */
  async #credential(connection: string | undefined, signal: AbortSignal): Promise<Credential | 'absent'> {
    const own = new AbortController();
    const { promise: late, reject } = Promise.withResolvers<never>();
    const end = (why: string) => {
      reject(new SourceUnreadable(why));
      own.abort();
    };
    const timer = setTimeout(() => end('it did not answer within the deadline'), this.#options.deadlineMs);
    const ended = () => end('the run was ended');
    signal.addEventListener('abort', ended);
    try {
      return await Promise.race([late, this.#resolve(connection, own.signal)]);
    } catch (error) {
      if (error instanceof CredentialRefused || error instanceof SourceUnreadable) throw error;
      throw new SourceUnreadable('it could not be read');
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', ended);
    }
  }

  async #resolve(connection: string | undefined, signal: AbortSignal): Promise<Credential | 'absent'> {
    return resolveConnection(connection, this.#sources.sources, signal);
  }

  /** Follows the records of a management cluster, and reports each step, until `unfollow` or the end of the process. */
  async follow({ id, access, namespace }: FollowOrder): Promise<void> {
    const abort = new AbortController();
    this.#following.set(id, abort);
    const cluster = new ManagementCluster(access, this.#options);
    try {
      for await (const step of followRecords({ cluster, namespace, signal: abort.signal }))
        this.#send({ kind: 'step', id, step: toStepMessage(step) });
    } catch {
      this.#send({ kind: 'step', id, step: { kind: 'unreadable', why: 'following the records failed' } });
      this.#send({ kind: 'step', id, step: { kind: 'ended' } });
    } finally {
      this.#following.delete(id);
      await cluster.close();
    }
  }

  unfollow(id: number): void {
    this.#following.get(id)?.abort();
  }
}

/** Timeout for listing the sources, in ms. */
const INVENTORY_MS = 60_000;

function serve(send: (report: WorkerReport) => void): void {
  let worker: Worker | undefined;
  process.on('message', (order: WorkerCommand) => {
    switch (order.kind) {
      case 'start':
        worker = new Worker(order.options, send);
        return send({ kind: 'ready' });
      case 'probe':
        return void worker?.probe(order);
      case 'abort':
        return worker?.abort(order.ids);
      case 'refresh':
        return worker?.refresh();
      case 'inventory':
        return void worker?.inventory();
      case 'follow':
        return void worker?.follow(order);
      case 'unfollow':
        return worker?.unfollow(order.id);
      case 'ping':
        return worker && send(worker.stats());
    }
  });
  process.on('disconnect', () => process.exit(0));
  // Signals to the process group are for the server, which ends this process when it no longer needs it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
}

if (process.send !== undefined) {
  const send = process.send.bind(process);
  serve((report) => void send(report, undefined, undefined, () => undefined));
}
