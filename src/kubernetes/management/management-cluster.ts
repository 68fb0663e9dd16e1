import { setTimeout as wait } from 'node:timers/promises';
import { type Dispatcher, request } from 'undici';
import type { EndpointPolicy } from '../credentials/endpoint.ts';
import type { ManagementClusterSettings } from '../settings/credential-settings.ts';
import { type Access, readAccess } from './access.ts';
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

interface Options {
  readonly watchTimes?: WatchTimes;
  /** Whether its server may be an `http:` URL. Only tests need it. */
  readonly allowPlainHttp?: boolean;
}

/** Time after which a token is read again, since tokens rotate. */
const ACCESS_MS = 60_000;

/**
 * Reads Secrets of a management cluster, in the probing process. The access is opened at the first request, and again
 * every minute, after a failed request, and when a login was not accepted, so that a rotated one is used.
 */
export class ManagementCluster {
  readonly #settings: ManagementClusterSettings;
  readonly #policy: EndpointPolicy;
  readonly #watchTimes: WatchTimes;
  #access: { readonly opened: Promise<Access>; readonly openedAt: number } | undefined;
  #endpoint: { readonly server: string; readonly caData?: string } | undefined;

  constructor(
    settings: ManagementClusterSettings,
    { watchTimes = DEFAULT_WATCH_TIMES, allowPlainHttp = false }: Options = {},
  ) {
    this.#settings = settings;
    this.#policy = { allowPlainHttp };
    this.#watchTimes = watchTimes;
  }

  /**
   * Server and CA (PEM in base64) of the management cluster, for an anonymous probe.
   * @throws SourceUnreadable if the access was never opened.
   */
  get endpoint(): { readonly server: string; readonly caData?: string } {
    if (this.#endpoint === undefined)
      throw new SourceUnreadable('the access to the management cluster is not open');
    return this.#endpoint;
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
    await this.#dropAccess();
  }

  async #get(path: string, query: Query, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    signal.throwIfAborted();
    try {
      const { server, authorization, dispatcher } = await this.#open();
      const response = await request(`${server}${path}?${new URLSearchParams(query)}`, {
        headers: { accept: 'application/json', ...(authorization !== undefined && { authorization }) },
        signal,
        headersTimeout: REQUEST_TIMEOUT_MS,
        bodyTimeout: 0,
        dispatcher,
      });
      if (response.statusCode === 401) await this.#dropAccess();
      return response;
    } catch (error) {
      await this.#dropAccess();
      throw unreadable(error);
    }
  }

  async #open(): Promise<Access> {
    if (this.#access !== undefined && performance.now() - this.#access.openedAt > ACCESS_MS)
      await this.#dropAccess();
    this.#access ??= {
      opened: readAccess(this.#settings, this.#policy),
      openedAt: performance.now(),
    };
    const access = await this.#access.opened;
    const { server, ca } = access;
    this.#endpoint = { server, ...(ca !== undefined && { caData: Buffer.from(ca).toString('base64') }) };
    return access;
  }

  /** Closes the connections after their current requests; the next request reads the access again. */
  async #dropAccess(): Promise<void> {
    const dropped = this.#access;
    this.#access = undefined;
    const dispatcher = await dropped?.opened.then((access) => access.dispatcher).catch(() => undefined);
    if (dispatcher === undefined) return;
    // Destroys connections that do not end in time. A watch ends within its own time.
    const closing = dispatcher.close().catch(() => undefined);
    const longest = this.#watchTimes.seconds * 1_000 + this.#watchTimes.graceMs;
    void Promise.race([closing, wait(longest, undefined, { ref: false })]).then(() =>
      dispatcher.destroy().catch(() => undefined),
    );
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
