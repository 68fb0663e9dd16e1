import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { KubeConfig, RequestContext } from '@kubernetes/client-node';
import { type Dispatcher, request } from 'undici';
import type { ManagementClusterSettings } from '../settings/credential-settings.ts';
import {
  Expired,
  linesOf,
  readJson,
  type Secret,
  toEvent,
  unreadable,
  type WatchEvent,
} from './secrets-api.ts';
import { SourceUnreadable } from './source-unreadable.ts';

const PAGE_SIZE = 500;
const REQUEST_TIMEOUT_MS = 30_000;
/** A watch ends after this time, so that a dead connection is noticed. */
const DEFAULT_WATCH_TIMES: WatchTimes = { seconds: 120, graceMs: 15_000 };
const MAX_LIST_ATTEMPTS = 3;

/** Duration of a watch, and how much longer the client waits for its end. */
interface WatchTimes {
  readonly seconds: number;
  readonly graceMs: number;
}

type Query = Readonly<Record<string, string>>;

/**
 * Reads Secrets of the management cluster, in the server (records of Kubefirst) and in the probing process
 * (credentials). `@kubernetes/client-node` provides the login: in-cluster files, certificates, rotating tokens. Its
 * generated calls and its informer are not used: they open a connection per call, have no timeout, and the informer
 * neither reports the end of a list nor restarts after an error.
 */
export class ManagementCluster {
  readonly #config: KubeConfig;
  readonly #newContext: (url: string) => RequestContext;
  readonly #caData: string | undefined;
  readonly #watchTimes: WatchTimes;
  #dispatcher: Dispatcher | undefined;

  private constructor(
    config: KubeConfig,
    newContext: (url: string) => RequestContext,
    caData: string | undefined,
    watchTimes: WatchTimes,
  ) {
    this.#watchTimes = watchTimes;
    this.#config = config;
    this.#newContext = newContext;
    this.#caData = caData;
  }

  /** @throws SourceUnreadable if the access cannot be read or names no server. */
  static async open(
    settings: ManagementClusterSettings,
    watchTimes: WatchTimes = DEFAULT_WATCH_TIMES,
  ): Promise<ManagementCluster> {
    // The module is large, so it is loaded only if there is a management cluster.
    const { KubeConfig, RequestContext, HttpMethod } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    try {
      if ('inCluster' in settings) config.loadFromCluster();
      else config.loadFromFile(settings.kubeconfig);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new SourceUnreadable(
        `the kubeconfig of the management cluster cannot be read: ${code ?? 'not a kubeconfig'}`,
      );
    }
    if ('kubeconfig' in settings && settings.context !== undefined)
      config.setCurrentContext(settings.context);
    if (!URL.canParse(config.getCurrentCluster()?.server ?? ''))
      throw new SourceUnreadable('the kubeconfig of the management cluster has no server');
    return new ManagementCluster(
      config,
      (url) => new RequestContext(url, HttpMethod.GET),
      await authorityOf(config),
      watchTimes,
    );
  }

  /** Server and CA (PEM in base64) of the management cluster, for an anonymous probe. */
  get endpoint(): { readonly server: string; readonly caData?: string } {
    const server = this.#config.getCurrentCluster()?.server ?? '';
    return { server, ...(this.#caData !== undefined && { caData: this.#caData }) };
  }

  /** Reads one Secret. @returns `'absent'` if it does not exist. @throws SourceUnreadable */
  async secret(namespace: string, name: string, signal: AbortSignal): Promise<Secret | 'absent'> {
    const path = `${secretsPath(namespace)}/${encodeURIComponent(name)}`;
    const { statusCode, body } = await this.#get(path, {}, withDeadline(signal, REQUEST_TIMEOUT_MS));
    if (statusCode !== 404) return (await readJson(statusCode, body)) as Secret;
    await body.dump();
    return 'absent';
  }

  /**
   * Lists all Secrets, or those of one namespace, page by page, and keeps only what `select` returns.
   * @throws SourceUnreadable; a partial list is never returned.
   */
  async list<T>(
    {
      namespace,
      labelSelector,
    }: { readonly namespace?: string | undefined; readonly labelSelector?: string },
    select: (secret: Secret) => T | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly items: readonly T[]; readonly version: string }> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#list(secretsPath(namespace), labelSelector, select, signal);
      } catch (error) {
        // Pages after the first come from a snapshot, which may expire before the last page.
        if (!(error instanceof Expired)) throw error;
        if (attempt === MAX_LIST_ATTEMPTS)
          throw new SourceUnreadable('the list changed faster than it could be read');
      }
    }
  }

  async #list<T>(
    path: string,
    labelSelector: string | undefined,
    select: (secret: Secret) => T | undefined,
    signal: AbortSignal,
  ) {
    const items: T[] = [];
    for (let next = ''; ; ) {
      const query = {
        limit: String(PAGE_SIZE),
        ...(labelSelector !== undefined && { labelSelector }),
        ...(next !== '' && { continue: next }),
      };
      const { statusCode, body } = await this.#get(path, query, withDeadline(signal, REQUEST_TIMEOUT_MS));
      const page = (await readJson(statusCode, body)) as {
        items: Secret[];
        metadata: { resourceVersion: string; continue?: string };
      };
      for (const secret of page.items) {
        const item = select(secret);
        if (item !== undefined) items.push(item);
      }
      next = page.metadata.continue ?? '';
      if (next === '') return { items, version: page.metadata.resourceVersion };
    }
  }

  /**
   * Watches the Secrets of a namespace from a resource version on. Resolves once the server has accepted the watch;
   * the generator ends when the server ends the watch, after a few minutes.
   * @throws Expired, SourceUnreadable here or from the generator.
   */
  async watch(
    namespace: string,
    version: string,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<WatchEvent, void>> {
    const { seconds, graceMs } = this.#watchTimes;
    const query = {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: version,
      timeoutSeconds: String(seconds),
    };
    const limited = withDeadline(signal, seconds * 1_000 + graceMs);
    const { statusCode, body } = await this.#get(secretsPath(namespace), query, limited);
    if (statusCode !== 200) await readJson(statusCode, body);
    return eventsOf(body);
  }

  async close(): Promise<void> {
    await this.#dropDispatcher();
  }

  async #get(path: string, query: Query, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    signal.throwIfAborted();
    try {
      const url = `${this.endpoint.server.replace(/\/$/, '')}${path}?${new URLSearchParams(query)}`;
      const context = this.#newContext(url);
      // Applied to every request, since tokens rotate; the connections are reused, since certificates rarely
      // change.
      await this.#config.applySecurityAuthentication(context);
      this.#dispatcher ??= context.getDispatcher() as unknown as Dispatcher | undefined;
      const response = await request(url, {
        headers: { accept: 'application/json', ...context.getHeaders() },
        signal,
        headersTimeout: REQUEST_TIMEOUT_MS,
        bodyTimeout: 0,
        ...(this.#dispatcher && { dispatcher: this.#dispatcher }),
      });
      if (response.statusCode === 401) await this.#dropDispatcher();
      return response;
    } catch (error) {
      await this.#dropDispatcher();
      throw unreadable(error);
    }
  }

  /** Closes the connections after their current requests; the next request uses the current certificates. */
  async #dropDispatcher(): Promise<void> {
    const dispatcher = this.#dispatcher;
    this.#dispatcher = undefined;
    if (dispatcher === undefined) return;
    // Destroys connections that do not end in time.
    const closing = dispatcher.close().catch(() => undefined);
    void Promise.race([closing, wait(REQUEST_TIMEOUT_MS, undefined, { ref: false })]).then(() =>
      dispatcher.destroy().catch(() => undefined),
    );
  }
}

async function authorityOf(config: KubeConfig): Promise<string | undefined> {
  const { caData, caFile } = config.getCurrentCluster() ?? {};
  if (caData !== undefined || caFile === undefined) return caData;
  try {
    return await readFile(caFile, 'base64');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SourceUnreadable(`the CA of the management cluster cannot be read: ${code}`);
  }
}

function secretsPath(namespace: string | undefined): string {
  return namespace === undefined
    ? '/api/v1/secrets'
    : `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
}

function withDeadline(signal: AbortSignal, ms: number): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ms)]);
}

async function* eventsOf(body: Dispatcher.ResponseData['body']): AsyncGenerator<WatchEvent, void> {
  try {
    for await (const line of linesOf(body)) yield toEvent(line);
  } catch (error) {
    throw unreadable(error);
  } finally {
    body.destroy();
  }
}
