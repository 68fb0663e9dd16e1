import { problemOf, RequestFailed } from './problem.ts';

/** Values of query parameters; absent and empty ones are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly query?: Query;
  readonly body?: unknown;
  /** Media type of the answer; by default JSON. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

let oldest = Number.POSITIVE_INFINITY;

/** Returns the lowest log position of all answers so far: later facts may be missing on a page. Infinite if there is no answer. */
export const oldestPosition = (): number => oldest;

/** Returns the log position as of which the ledger has answered; `undefined` if the answer does not depend on the log. */
export function positionOf({ headers }: Response): number | undefined {
  const position = headers.get('ledger-position');
  return position === null ? undefined : Number(position);
}

/** Returns a path of the API, built from parts that are encoded, such as `` path`/v1/clusters/${id}` ``. */
export function path(parts: TemplateStringsArray, ...ids: readonly string[]): string {
  return String.raw({ raw: parts }, ...ids.map((id) => encodeURIComponent(id)));
}

/** Returns a path with its query. */
export function withQuery(path: string, query: Query = {}): string {
  const chosen = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  if (chosen.length === 0) return path;
  return `${path}?${new URLSearchParams(chosen.map(([name, value]) => [name, String(value)]))}`;
}

/**
 * Sends a request and returns the answer as it is.
 * @throws RequestFailed if the ledger rejects the request or does not answer
 */
export async function send(
  path: string,
  { method = 'GET', query, body, accept = 'application/json', signal }: RequestOptions = {},
): Promise<Response> {
  const response = await fetch(withQuery(path, query), {
    method,
    headers: { accept, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error;
    throw new RequestFailed(0, {});
  });
  if (!response.ok) throw await problemOf(response);
  oldest = Math.min(oldest, positionOf(response) ?? oldest);
  return response;
}

/**
 * Sends a request and returns its JSON. The caller names the type: the output of the schema in `src/api`.
 * @throws RequestFailed if the ledger rejects the request or does not answer
 */
export async function request<T>(path: string, options?: RequestOptions): Promise<T> {
  const response = await send(path, options);
  return (response.status === 204 ? undefined : await response.json()) as T;
}
