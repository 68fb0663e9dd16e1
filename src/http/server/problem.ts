import type { Rejection } from '../../domain/facts/rejection.ts';
import { formatInstant } from '../../domain/time.ts';

/** Every problem of the API: its code, its status and what it is called. docs/errors.md says what to do about each. */
export const PROBLEMS = {
  'invalid-request': [400, 'The request is not valid'],
  'malformed-json': [400, 'The body is not acceptable JSON'],
  'malformed-http': [400, 'The request is not acceptable HTTP'],
  unauthenticated: [401, 'It is not known who asks'],
  'not-found': [404, 'There is no such thing here'],
  'method-not-allowed': [405, 'The resource does not take this method'],
  'not-acceptable': [406, 'None of the accepted media types can be given'],
  'request-timeout': [408, 'The request took too long to arrive'],
  'event-id-reused': [409, 'The event id was used before, for other content'],
  'registration-conflict': [409, 'The cluster is registered to another account'],
  'cluster-deleted': [409, 'The cluster was deleted before'],
  'period-not-ended': [409, 'The period has not ended'],
  'period-in-grace': [409, 'The period still waits for late facts'],
  'period-not-next': [409, 'Another period must be closed first'],
  'too-large': [413, 'The content is too large'],
  'uri-too-long': [414, 'The URL is too long'],
  'unsupported-media-type': [415, 'The media type is not supported'],
  'expectation-failed': [417, 'The expectation cannot be met'],
  'effective-in-future': [422, 'The fact lies in the future'],
  'backdated-too-far': [422, 'The fact lies too far in the past'],
  'cluster-unknown': [422, 'No registered cluster is meant'],
  'cluster-ambiguous': [422, 'More than one cluster may be meant'],
  'void-target-unknown': [422, 'The fact to void is not known'],
  'void-target-not-voidable': [422, 'The fact cannot be voided'],
  'no-validator': [409, 'The validator is not configured'],
  'wrong-host': [421, 'The request was meant for another host'],
  'headers-too-large': [431, 'The headers are too large'],
  internal: [500, 'The ledger has made a mistake'],
  'catching-up': [503, 'The ledger is still reading its log'],
  'cluster-halted': [503, 'The facts of the cluster cannot be read'],
  'outcome-unknown': [503, 'It is not known whether the facts were recorded'],
  overloaded: [503, 'The ledger is busy'],
  'position-not-reached': [503, 'The position has not been reached yet'],
  'read-only': [503, 'The log is not what was signed, and takes nothing more'],
  'store-failed': [503, 'The store has failed'],
  'store-unavailable': [503, 'The store cannot be reached'],
  'store-full': [507, 'The store has no room'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One thing wrong in a request; `pointer` names the field: an RFC 6901 pointer into the body, or `/query/…`, `/headers/…`, `/path/…`. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** A problem document (RFC 9457). */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The id of the request; absent for a single event of a batch. */
  readonly instance?: string;
  readonly errors?: readonly FieldError[];
}

/** A request that is answered with a problem. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** The methods that the resource takes. */
  readonly allow: readonly string[] | undefined;

  constructor(
    code: ProblemCode,
    detail: string,
    options: {
      readonly errors?: readonly FieldError[];
      readonly retryAfterSeconds?: number;
      readonly allow?: readonly string[];
      readonly cause?: unknown;
    } = {},
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.allow = options.allow;
  }

  get status(): number {
    return PROBLEMS[this.code][0];
  }

  document(instance?: string): ProblemDocument {
    const [status, title] = PROBLEMS[this.code];
    return {
      type: `urn:cluster-ledger:problem:${this.code}`,
      title,
      status,
      detail: this.message,
      ...(instance !== undefined && { instance }),
      ...(this.errors !== undefined && { errors: this.errors }),
    };
  }
}

/** A request with fields at fault. */
export function invalidRequest(errors: readonly FieldError[]): Problem {
  const detail = errors
    .map((error) => `${error.pointer === '' ? 'the body' : error.pointer}: ${error.detail}`)
    .join('; ');
  return new Problem('invalid-request', detail, { errors });
}

/** The problem that says why a well-formed fact or command was refused. */
export function problemOf(rejection: Rejection): Problem {
  return new Problem(rejection.code, detailOf(rejection), {
    errors: [{ pointer: pointerTo(rejection), detail: detailOf(rejection) }],
  });
}

function detailOf(rejection: Rejection): string {
  switch (rejection.code) {
    case 'event-id-reused':
      return `this source and id were used before, for an event with other content (event ${rejection.eventId}); nothing was changed`;
    case 'effective-in-future':
      return `time is ${formatInstant(rejection.effectiveAt)}; at most 5 minutes ahead, now ${formatInstant(rejection.latest)}, is allowed`;
    case 'backdated-too-far':
      return `time is ${formatInstant(rejection.effectiveAt)}; only an operator may post what was before ${formatInstant(rejection.earliest)}`;
    case 'registration-conflict':
      return `cluster ${rejection.clusterId} is registered to account ${rejection.knownAccountId}, not to ${rejection.accountId}`;
    case 'cluster-deleted':
      return `cluster ${rejection.clusterId} was deleted at ${formatInstant(rejection.deletedAt)}; register a new id from then on`;
    case 'void-target-unknown':
      return `cluster ${rejection.clusterId} has no event ${rejection.voids}`;
    case 'void-target-not-voidable':
      return `event ${rejection.voids} is a ${rejection.targetType} that cannot be voided; post the right fact instead`;
    case 'cluster-unknown':
      return `no registered cluster is called ${rejection.named}; post the fact for the cluster that is meant`;
    case 'cluster-ambiguous':
      return `${rejection.named} may be any of ${rejection.candidates.join(', ')}; post the fact for the one that is meant`;
    case 'period-not-ended':
      return `${rejection.period} ends at ${formatInstant(rejection.endsAt)}; nothing was closed`;
    case 'period-in-grace':
      return `${rejection.period} is due at ${formatInstant(rejection.dueAt)}; with early: true it is closed before`;
    case 'period-not-next':
      return rejection.next === undefined
        ? `there is no fact yet, so that there is nothing to close in ${rejection.period}`
        : `periods close in order: the next is ${rejection.next}, not ${rejection.period}`;
  }
}

function pointerTo({ code }: Rejection): string {
  switch (code) {
    case 'event-id-reused':
      return '/id';
    case 'registration-conflict':
      return '/data/accountId';
    case 'cluster-deleted':
    case 'effective-in-future':
    case 'backdated-too-far':
      return '/time';
    case 'cluster-unknown':
    case 'cluster-ambiguous':
      return '/subject';
    case 'void-target-unknown':
    case 'void-target-not-voidable':
      return '/data/voids';
    case 'period-not-ended':
    case 'period-not-next':
      return '/path/period';
    case 'period-in-grace':
      return '/early';
  }
}
