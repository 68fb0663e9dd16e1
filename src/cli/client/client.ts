import { CliError, EXIT, unreachable } from '../terminal/cli-error.ts';

/** What is asked of a ledger. */
export interface Request {
  readonly method?: 'GET' | 'POST';
  /** With the parts that were given encoded: see `path`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly accept?: string;
  /** Goes as JSON, of this media type where it is given. */
  readonly body?: unknown;
  readonly mediaType?: string;
  readonly signal?: AbortSignal;
}

/** A ledger to talk to: one that listens somewhere, or a store that is opened here. Both speak the HTTP API. */
export interface Client {
  /** What it is called in messages. */
  readonly name: string;
  /** Any answer, refusals too. @throws CliError if none came. */
  send(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/** A path with what was given in its place: `path\`/v1/clusters/${id}\``. */
export function path(parts: TemplateStringsArray, ...given: readonly string[]): string {
  return String.raw({ raw: parts }, ...given.map(encodeURIComponent));
}

/** The path and query of a request. */
export function pathAndQuery({ path: resource, query = {} }: Request): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? resource : `${resource}?${new URLSearchParams(given)}`;
}

/** The headers and body of a request. */
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

/** A ledger that listens somewhere. */
export class HttpClient implements Client {
  readonly name: string;
  readonly #base: string;
  readonly #token: string | undefined;

  /** @param url may have a path, where the ledger stands behind a proxy. */
  constructor(url: URL, token: string | undefined) {
    this.#base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
    this.name = this.#base;
    this.#token = token;
  }

  async send(request: Request): Promise<Response> {
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
      throw unreachable(`${this.name} cannot be reached: ${reasonOf(error)}`, error);
    }
  }

  async close(): Promise<void> {}
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host could not be looked up',
  ECONNRESET: 'the connection broke',
  UND_ERR_SOCKET: 'the connection broke',
  UND_ERR_CONNECT_TIMEOUT: 'it took too long',
  UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
};

/** Why a request came to nothing, which `fetch` hides in the causes of its error. */
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

/** @throws CliError if a body that has begun to come does not end. */
export async function readBody<T>(client: Client, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(EXIT.failed, `the answer of ${client.name} broke off: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}
