import { codeOf, problemIn } from '../../../packages/client/src/errors.ts';
import { mayRepeat, pause, pauseMs, retryAfterMs } from '../../../packages/client/src/retry.ts';
import { CliError, EXIT, unreachable } from '../terminal/cli-error.ts';
import { printMessage } from '../terminal/output.ts';

/** A request of the HTTP API. */
export interface Request {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Encoded path; see `path`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly accept?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Media type of the body, `application/json` by default. */
  readonly mediaType?: string;
  /** Whether sending the request twice has the effect of sending it once. A GET always is. */
  readonly isRepeatable?: boolean;
  /** Number of times that the request is sent if the ledger asks to wait: 6 by default. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
}

/** A connection to a ledger: a running one, or one in this process on a store. Both offer the HTTP API. */
export interface Client {
  /** Name of the ledger in messages. */
  readonly name: string;
  /** Sends a request. Returns any response, also a problem. @throws CliError if there is none. */
  send(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/** Number of times that a request is sent if the ledger asks to wait. */
const ATTEMPTS = 6;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Template tag that encodes the parts of a path: `path\`/v1/clusters/${id}\``. */
export function path(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return String.raw({ raw: parts }, ...values.map(encodeURIComponent));
}

/** Returns the path and query of a request, without undefined parameters. */
export function pathAndQuery({ path: resource, query = {} }: Request): string {
  const parameters = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return parameters.length === 0 ? resource : `${resource}?${new URLSearchParams(parameters)}`;
}

/** Returns the headers and body of a request. */
export function headersAndBody({
  accept = 'application/json',
  body,
  mediaType = 'application/json',
}: Request): {
  headers: Record<string, string>;
  body?: string;
} {
  if (body === undefined) return { headers: { accept } };
  return { headers: { accept, 'content-type': mediaType }, body: JSON.stringify(body) };
}

/** A running ledger, over HTTP. */
export class HttpClient implements Client {
  readonly name: string;
  readonly #base: string;
  readonly #token: string | undefined;

  /** @param url may have a path, if the ledger is behind a proxy. */
  constructor(url: URL, token: string | undefined) {
    this.#base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
    this.name = this.#base;
    this.#token = token;
  }

  /** Sends a request, and again after the pause that the ledger asks for if it recorded nothing or repeating is safe. */
  async send(request: Request): Promise<Response> {
    const isRepeatable =
      request.method === undefined || request.method === 'GET' || request.isRepeatable === true;
    const { attempts = ATTEMPTS } = request;
    for (let failures = 1; ; failures++) {
      const response = await this.#sendOnce(request);
      if (response.ok || failures >= attempts) return response;
      const asked = retryAfterMs(response.headers.get('retry-after'), Date.now());
      // Without the header a later attempt is not known to help: a person decides.
      if (asked === undefined) return response;
      const text = await response
        .clone()
        .text()
        .catch(() => '');
      const problem = problemIn(parsed(text));
      if (!mayRepeat(response.status, problem && codeOf(problem), isRepeatable)) return response;
      const ms = pauseMs(failures, asked, Math.random());
      const why = problem?.detail ?? `status ${response.status}`;
      printMessage(
        `${this.name} asks to wait: ${why}; trying again in ${Math.ceil(ms / 1_000)} s (attempt ${failures + 1} of ${attempts})`,
      );
      await pause(ms, request.signal);
    }
  }

  async #sendOnce(request: Request): Promise<Response> {
    const { headers, body } = headersAndBody(request);
    if (this.#token !== undefined) headers['authorization'] = `Bearer ${this.#token}`;
    try {
      return await fetch(`${this.#base}${pathAndQuery(request)}`, {
        method: request.method ?? 'GET',
        headers,
        redirect: 'manual',
        ...(body !== undefined && { body }),
        ...(request.signal !== undefined && { signal: request.signal }),
      });
    } catch (error) {
      if (request.signal?.aborted === true) throw error;
      throw unreachable(`cannot reach ${this.name}: ${reasonOf(error)}${hintFor(error)}`, error);
    }
  }

  async close(): Promise<void> {}
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: nothing listens there',
  ENOTFOUND: 'host not found',
  EAI_AGAIN: 'the DNS lookup failed',
  ECONNRESET: 'the connection was lost',
  UND_ERR_SOCKET: 'the connection was lost',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  UND_ERR_HEADERS_TIMEOUT: 'the response timed out',
};

/** Returns why a request failed. `fetch` hides the reason in the causes of its error. */
function reasonOf(error: unknown): string {
  let [deepest, code] = [error, undefined as string | undefined];
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    deepest = at;
    code = (at as NodeJS.ErrnoException).code ?? code;
  }
  const message = deepest instanceof Error ? deepest.message : String(deepest);
  const words = REASONS[code ?? ''] ?? message;
  return code === undefined || words.includes(code) ? words : `${words} (${code})`;
}

/** Returns what to do about an unreachable ledger, for the most frequent reason. */
function hintFor(error: unknown): string {
  return reasonOf(error).includes('ECONNREFUSED')
    ? '\n  start a ledger (npm start), or choose another: --url, LEDGER_URL or --context'
    : '';
}

/** Reads a response body. @throws CliError if the body ends early. */
export async function readBody<T>(client: Client, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(EXIT.failed, `the response from ${client.name} ended early: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}
