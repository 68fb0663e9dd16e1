import type { z } from 'zod';
import type { ProblemOut } from '../../src/api/problem-document.ts';

type ProblemDocument = z.output<typeof ProblemOut>;

/** Prefix of the `type` of every problem of the ledger. */
const TYPE_PREFIX = 'urn:cluster-ledger:problem:';

/** A request that the ledger rejected, or that did not reach it. */
export class RequestFailed extends Error {
  override readonly name = 'RequestFailed';
  /** HTTP status; 0 if the ledger did not answer. */
  readonly status: number;
  /** Code of the problem, such as `not-found`; `unreachable` if the ledger did not answer. */
  readonly code: string;
  /** Title of the problem, as the ledger says it; empty if the ledger did not answer. */
  readonly title: string;
  /** Id of the request, for the log of the server. */
  readonly requestId: string | undefined;
  /** The fields that are wrong. */
  readonly fields: readonly { readonly pointer: string; readonly detail: string }[];
  /** Time to wait before the same request is sent again, in seconds. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    { type, title, detail, instance, errors }: Partial<ProblemDocument>,
    retryAfterSeconds?: number,
  ) {
    super(detail ?? title ?? '');
    this.status = status;
    this.code = type?.replace(TYPE_PREFIX, '') ?? (status === 0 ? 'unreachable' : 'unknown');
    this.title = title ?? '';
    this.requestId = instance;
    this.fields = errors ?? [];
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** Whether the ledger did not answer. */
  get isUnreachable(): boolean {
    return this.status === 0;
  }

  /** Whether the same request could succeed later. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Reads the problem of an answer that is not successful. Answers of proxies have no problem document. */
export async function problemOf(response: Response): Promise<RequestFailed> {
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true;
  const document = isProblem
    ? ((await response.json().catch(() => ({}))) as Partial<ProblemDocument>)
    : { title: `${response.status} ${response.statusText}`.trim() };
  return new RequestFailed(response.status, document, Number.isNaN(retryAfter) ? undefined : retryAfter);
}
