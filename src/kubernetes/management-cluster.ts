import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { KubeConfig, RequestContext } from '@kubernetes/client-node';
import { type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { SourceUnreadable } from './credential-source.ts';

/** How the management cluster, which is ours, is reached: from within, or by a kubeconfig of ours. */
export const ManagementClusterSettings = z.union([
  z.strictObject({ inCluster: z.literal(true) }),
  z.strictObject({ kubeconfig: z.string().min(1), context: z.string().min(1).optional() }),
]);
export type ManagementClusterSettings = z.output<typeof ManagementClusterSettings>;

/** A Secret as the API gives it out, as far as it is looked at. */
export interface Secret {
  readonly type?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly { readonly time?: string }[];
  };
  /** In base64. */
  readonly data?: Readonly<Record<string, string>>;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: Secret;
}

/** What was known as of a version of the cluster is no longer kept there: list again. */
export class Expired extends Error {
  override readonly name = 'Expired';
}

const PAGE = 500;
const REQUEST_MS = 30_000;
/** A watch ends by itself after so long, so that a connection that has died unnoticed does not last. */
const WATCH: WatchTimes = { seconds: 120, graceMs: 15_000 };
/** A Secret has at most 1 MiB, and is written down in base64. */
const MOST_LINE_CHARS = 4 * 1024 * 1024;
const RESTARTS = 3;

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
    watchTimes: WatchTimes = WATCH,
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
    const { statusCode, body } = await this.#get(path, {}, withDeadline(signal, REQUEST_MS));
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
        if (attempt === RESTARTS) throw new SourceUnreadable('the list changed faster than it could be read');
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
        limit: String(PAGE),
        ...(labelSelector !== undefined && { labelSelector }),
        ...(next !== '' && { continue: next }),
      };
      const { statusCode, body } = await this.#get(path, query, withDeadline(signal, REQUEST_MS));
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
   * What happens to the Secrets of a namespace after a version, until the server ends it, which it does every few minutes.
   * @throws Expired, SourceUnreadable
   */
  async *watch(namespace: string, version: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
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
    try {
      for await (const line of linesOf(body)) yield toEvent(line);
    } catch (error) {
      throw unreadable(error);
    } finally {
      body.destroy();
    }
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
        headersTimeout: REQUEST_MS,
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
    void Promise.race([closing, wait(REQUEST_MS, undefined, { ref: false })]).then(() =>
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

/** @throws Expired, SourceUnreadable which say the status, and nothing of what was read. */
async function readJson(statusCode: number, body: Dispatcher.ResponseData['body']): Promise<unknown> {
  if (statusCode !== 200) {
    await body.dump();
    if (statusCode === 410) throw new Expired('the version is no longer kept');
    throw new SourceUnreadable(`the management cluster answered ${statusCode}`);
  }
  try {
    return await body.json();
  } catch (error) {
    throw unreadable(error);
  }
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MOST_LINE_CHARS)
      throw new SourceUnreadable('the management cluster sent too long a line');
    for (const line of lines) if (line !== '') yield line;
  }
}

function toEvent(line: string): WatchEvent {
  const event = JSON.parse(line) as { type: string; object: Secret & { code?: number } };
  if (event.type !== 'ERROR') return event as WatchEvent;
  if (event.object.code === 410) throw new Expired('the version is no longer kept');
  throw new SourceUnreadable(`the watch failed with ${event.object.code ?? 'an unknown status'}`);
}

/** Says what kind of failure it was: never what was sent, received or given as credential. */
function unreadable(error: unknown): Error {
  if (error instanceof SourceUnreadable || error instanceof Expired) return error;
  const { code, name } = error as NodeJS.ErrnoException;
  const kind = typeof code === 'string' ? code : (name ?? 'unknown error');
  return new SourceUnreadable(`the management cluster cannot be read: ${kind}`);
}

/** What stands under a key of a Secret, as text; `undefined` where nothing does. */
export function textOf({ data }: Pick<Secret, 'data'>, key: string): string | undefined {
  const encoded = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}
