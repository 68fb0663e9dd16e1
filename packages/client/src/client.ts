import { LedgerRefused, LedgerUnreachable, problemIn } from './errors.ts';
import type { LifecycleEvent, PostedResult } from './events.ts';
import type {
  AnswerOf,
  ArgumentsOf,
  ItemOf,
  ListPath,
  Method,
  PathOf,
  RequestOptions,
} from './operations.ts';
import { mayRepeat, pause, pauseMs, retryAfterMs } from './retry.ts';

export interface LedgerClientOptions {
  /** Where the ledger is, such as `https://ledger.example`; may have a path, if the ledger is behind a proxy. */
  readonly url: string | URL;
  /** The API key. A function is called for each request, so that a key can be rotated while the app runs. */
  readonly token?: string | (() => string | Promise<string>);
  /** Number of times that a request is sent before it fails: 6 by default, 1 for no retries. */
  readonly attempts?: number;
  /** Longest time for one attempt in milliseconds: 60,000 by default. The ledger answers a write within 10 seconds. */
  readonly timeoutMs?: number;
  /** Called before each retry, for logs and metrics. */
  readonly onRetry?: (error: LedgerRefused | LedgerUnreachable, pauseMs: number) => void;
  /** The implementation of `fetch`, for proxies or private certificates. */
  readonly fetch?: typeof fetch;
}

interface LooseOptions extends RequestOptions {
  readonly path?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

interface Sent {
  readonly method: string;
  readonly resource: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isRepeatable: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends requests to a ledger. Paths, parameters, bodies and answers have the types of the contract. A request is sent again
 * after the pause that the ledger asks for, but only if sending it twice is safe.
 */
export class LedgerClient {
  readonly #base: string;
  readonly #options: LedgerClientOptions;

  /** @throws TypeError if the URL is not one of http or https. */
  constructor(options: LedgerClientOptions) {
    const url = new URL(options.url);
    if (!/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
      throw new TypeError(
        `url must be an http or https URL without a query; given ${JSON.stringify(String(options.url))}`,
      );
    this.#base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
    this.#options = options;
  }

  /** @throws LedgerRefused, LedgerUnreachable */
  get<P extends PathOf<'get'>>(path: P, ...[options]: ArgumentsOf<P, 'get'>): Promise<AnswerOf<P, 'get'>> {
    return this.#json('get', path, options);
  }

  /** @throws LedgerRefused, LedgerUnreachable */
  post<P extends Exclude<PathOf<'post'>, '/v1/events'>>(
    path: P,
    ...[options]: ArgumentsOf<P, 'post'>
  ): Promise<AnswerOf<P, 'post'>> {
    return this.#json('post', path, options);
  }

  /** @throws LedgerRefused, LedgerUnreachable */
  put<P extends PathOf<'put'>>(path: P, ...[options]: ArgumentsOf<P, 'put'>): Promise<AnswerOf<P, 'put'>> {
    return this.#json('put', path, options);
  }

  /** @throws LedgerRefused, LedgerUnreachable */
  delete<P extends PathOf<'delete'>>(
    path: P,
    ...[options]: ArgumentsOf<P, 'delete'>
  ): Promise<AnswerOf<P, 'delete'>> {
    return this.#json('delete', path, options);
  }

  /** Yields the items of all pages of a list. @throws LedgerRefused, LedgerUnreachable */
  async *list<P extends ListPath>(path: P, ...[options]: ArgumentsOf<P, 'get'>): AsyncGenerator<ItemOf<P>> {
    let cursor: string | undefined;
    do {
      const loose = (options ?? {}) as LooseOptions;
      const query = { ...loose.query, ...(cursor !== undefined && { cursor }) };
      const page = (await this.#json('get', path, { ...loose, query })) as {
        items: ItemOf<P>[];
        next?: string;
      };
      yield* page.items;
      cursor = page.next;
    } while (cursor !== undefined);
  }

  /**
   * Posts one event and resolves once it is durable. The ledger recognizes an event that it has by `source` and `id`, so that
   * retries count once. To survive a crash of the app, use an outbox.
   * @throws LedgerRefused if the event is not valid or contradicts what is recorded.
   * @throws LedgerUnreachable if there was no answer: the event may be recorded or not.
   */
  async postEvent(event: LifecycleEvent, { signal }: RequestOptions = {}): Promise<PostedResult> {
    return (await this.#send(eventRequest('application/cloudevents+json', event, signal))) as PostedResult;
  }

  /**
   * Posts up to 1,000 events at once.
   * @returns a result for each event, in order: recorded, or rejected with a problem.
   * @throws LedgerRefused, LedgerUnreachable
   */
  async postEvents(
    events: readonly LifecycleEvent[],
    { signal }: RequestOptions = {},
  ): Promise<PostedResult[]> {
    const request = eventRequest('application/cloudevents-batch+json', events, signal);
    const { results } = ((await this.#send(request)) ?? {}) as { results?: PostedResult[] };
    if (results?.length === events.length) return results;
    throw new LedgerUnreachable(`POST /v1/events: the answer does not have ${events.length} results`);
  }

  async #json<P, M extends Method>(method: M, path: P, options: unknown = {}): Promise<never> {
    const { path: parameters = {}, query, body, signal } = options as LooseOptions;
    return (await this.#send({
      method: method.toUpperCase(),
      resource: resourceOf(String(path), parameters, query),
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      // A PUT and a DELETE have the same effect if they are sent twice.
      isRepeatable: method !== 'post',
      signal,
    })) as never;
  }

  async #send(request: Sent): Promise<unknown> {
    const { attempts = 6, onRetry } = this.#options;
    for (let failures = 1; ; failures++) {
      try {
        return await this.#attempt(request);
      } catch (error) {
        if (request.signal?.aborted === true || !isWorthRepeating(error, request) || failures >= attempts)
          throw error;
        const asked = error instanceof LedgerRefused ? error.retryAfterMs : undefined;
        const ms = pauseMs(failures, asked, Math.random());
        onRetry?.(error, ms);
        await pause(ms, request.signal);
      }
    }
  }

  async #attempt({ method, resource, headers, body, signal }: Sent): Promise<unknown> {
    const { token, timeoutMs = 60_000, fetch: send = fetch } = this.#options;
    const secret = typeof token === 'function' ? await token() : token;
    const deadline = AbortSignal.timeout(timeoutMs);
    let response: Response;
    let text: string;
    try {
      response = await send(`${this.#base}${resource}`, {
        method,
        headers: {
          accept: 'application/json',
          ...headers,
          ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
        },
        ...(body !== undefined && { body }),
        // Following a redirect could turn a POST into a GET.
        redirect: 'manual',
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      });
      text = await response.text();
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw new LedgerUnreachable(`${method} ${this.#base}${resource}: ${reasonOf(error)}`, { cause: error });
    }
    const answer = parse(text);
    if (response.ok) {
      if (text !== '' && answer === undefined)
        throw new LedgerUnreachable(`${method} ${this.#base}${resource}: the answer is not JSON`);
      return answer;
    }
    const asked = retryAfterMs(response.headers.get('retry-after'), Date.now());
    throw new LedgerRefused(`${method} ${resource}`, response.status, problemIn(answer), asked);
  }
}

function eventRequest(mediaType: string, content: unknown, signal: AbortSignal | undefined): Sent {
  const headers = { 'content-type': mediaType };
  const body = JSON.stringify(content);
  return { method: 'POST', resource: '/v1/events', headers, body, isRepeatable: true, signal };
}

function isWorthRepeating(
  error: unknown,
  { isRepeatable }: Sent,
): error is LedgerRefused | LedgerUnreachable {
  if (error instanceof LedgerRefused) return mayRepeat(error.status, error.code, isRepeatable);
  return error instanceof LedgerUnreachable && isRepeatable;
}

function resourceOf(
  template: string,
  parameters: Readonly<Record<string, unknown>>,
  query: Readonly<Record<string, unknown>> = {},
): string {
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = parameters[name];
    if (value === undefined || value === '') throw new TypeError(`path.${name} is required by ${template}`);
    return encodeURIComponent(String(value));
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) search.append(name, String(one));
    }
  }
  return search.size === 0 ? path : `${path}?${search}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns why a request failed. `fetch` hides the reason in the causes of its error. */
function reasonOf(error: unknown): string {
  let deepest = error;
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause;
  if (!(deepest instanceof Error)) return String(deepest);
  const { code } = deepest as NodeJS.ErrnoException;
  return deepest.message || String(code);
}
