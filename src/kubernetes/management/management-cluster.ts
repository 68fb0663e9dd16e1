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
/** A watch ends by itself after so long, so that a connection that has died unnoticed does not last. */
const DEFAULT_WATCH_TIMES: WatchTimes = { seconds: 120, graceMs: 15_000 };
const MAX_LIST_ATTEMPTS = 3;

/** How long a watch lasts, and how much longer its end is waited for. */
interface WatchTimes {
  readonly seconds: number;
  readonly graceMs: number;
}

type Query = Readonly<Record<string, string>>;

/**
 * Reads Secrets of the management cluster. `@kubernetes/client-node` says how to get in (in-cluster files, certificates,
 * tokens that change); its generated calls and its informer are not used, since they open a connection per call, have no
 * end to a call, and an informer neither says when it has listed all nor starts again after an error.
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

  /** @throws SourceUnreadable where the settings lead to no cluster. */
  static async open(
    settings: ManagementClusterSettings,
    watchTimes: WatchTimes = DEFAULT_WATCH_TIMES,
  ): Promise<ManagementCluster> {
    // It is large, and needed only where there is a management cluster.
    const { KubeConfig, RequestContext, HttpMethod } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    try {
      if ('inCluster' in settings) config.loadFromCluster();
      else config.loadFromFile(settings.kubeconfig);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new SourceUnreadable(
        `the access to the management cluster cannot be read: ${code ?? 'not a kubeconfig'}`,
      );
    }
    if ('kubeconfig' in settings && settings.context !== undefined)
      config.setCurrentContext(settings.context);
    if (!URL.canParse(config.getCurrentCluster()?.server ?? ''))
      throw new SourceUnreadable('the access to the management cluster names no server');
    return new ManagementCluster(
      config,
      (url) => new RequestContext(url, HttpMethod.GET),
      await authorityOf(config),
      watchTimes,
    );
  }

  /** Where it is, and the PEM in base64 of the authority that it is known by: for those who call it without being anybody. */
  get endpoint(): { readonly server: string; readonly caData?: string } {
    const server = this.#config.getCurrentCluster()?.server ?? '';
    return { server, ...(this.#caData !== undefined && { caData: this.#caData }) };
  }

  /** One Secret. @returns `'absent'` where there is none. @throws SourceUnreadable */
  async secret(namespace: string, name: string, signal: AbortSignal): Promise<Secret | 'absent'> {
    const path = `${secretsPath(namespace)}/${encodeURIComponent(name)}`;
    const { statusCode, body } = await this.#get(path, {}, withDeadline(signal, REQUEST_TIMEOUT_MS));
    if (statusCode !== 404) return (await readJson(statusCode, body)) as Secret;
    await body.dump();
    return 'absent';
  }

  /**
   * All Secrets, or those of a namespace, page by page: what `select` makes of each is kept, and nothing else.
   * @throws SourceUnreadable nothing is known: a part is never given for the whole.
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
        // The pages after the first come from a snapshot, which may be given up before the last one is read.
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
   * Begins to watch what happens to the Secrets of a namespace after a version. Resolves once the server has agreed; what it
   * resolves to ends when the server ends it, which it does every few minutes.
   * @throws Expired, SourceUnreadable now, or later while it is read.
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
      // Asked each time, since tokens change; the connections are kept, since certificates hardly do.
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

  /** The next call begins anew with the certificates of then; calls under way end first. */
  async #dropDispatcher(): Promise<void> {
    const dispatcher = this.#dispatcher;
    this.#dispatcher = undefined;
    if (dispatcher === undefined) return;
    // One that does not end by itself is cut off: nobody waits for it any more.
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
    throw new SourceUnreadable(`the authority of the management cluster cannot be read: ${code}`);
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
