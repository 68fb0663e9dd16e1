import type { components } from './contract.ts';

/** A problem document of the ledger (RFC 9457). */
export type Problem = components['schemas']['Problem'];

const PREFIX = 'urn:cluster-ledger:problem:';

/** Returns the code of a problem: `event-id-reused` for `urn:cluster-ledger:problem:event-id-reused`. */
export function codeOf({ type }: Pick<Problem, 'type'>): string {
  return type.startsWith(PREFIX) ? type.slice(PREFIX.length) : type;
}

/** Returns the problem in the body of an answer, or undefined if the ledger did not write the answer. */
export function problemIn(body: unknown): Problem | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { type, status } = body as Partial<Problem>;
  return typeof type === 'string' && type.startsWith(PREFIX) && typeof status === 'number'
    ? (body as Problem)
    : undefined;
}

/** The ledger, or a proxy in front of it, refused a request. */
export class LedgerRefused extends Error {
  override readonly name = 'LedgerRefused';
  readonly status: number;
  /** Code of the problem, such as `registration-conflict`; undefined if the ledger did not write the answer. */
  readonly code: string | undefined;
  /** The problem document; undefined if the ledger did not write the answer. */
  readonly problem: Problem | undefined;
  /** What `Retry-After` asked for, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    request: string,
    status: number,
    problem: Problem | undefined,
    retryAfterMs: number | undefined,
  ) {
    super(
      problem === undefined
        ? `${request}: status ${status}, and the answer is not one of a ledger`
        : `${request}: ${problem.detail} (${status} ${codeOf(problem)}, request ${problem.instance})`,
    );
    this.status = status;
    this.problem = problem;
    this.code = problem && codeOf(problem);
    this.retryAfterMs = retryAfterMs;
  }
}

/** There was no answer, or none that can be read. A request that changes something may have had its effect or not. */
export class LedgerUnreachable extends Error {
  override readonly name = 'LedgerUnreachable';
}

/** The outbox did not take an event. Nothing was stored. */
export class OutboxError extends Error {
  override readonly name = 'OutboxError';
  readonly code: 'invalid-event' | 'id-reused' | 'full' | 'closed' | 'unusable';

  constructor(code: OutboxError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
