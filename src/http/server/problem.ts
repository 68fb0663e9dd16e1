import type { Rejection } from '../../domain/facts/rejection.ts';
import { formatInstant } from '../../domain/time.ts';

/** The problems of the API: code, status and title. docs/errors.md says what to do about each. */
export const PROBLEMS = {
  'invalid-request': [400, 'The request is not valid'],
  'malformed-json': [400, 'The body is not valid JSON'],
  'malformed-http': [400, 'The request is not valid HTTP'],
  'sign-in-failed': [400, 'The sign-in did not succeed'],
  unauthenticated: [401, 'Authentication required'],
  forbidden: [403, 'Not allowed for this role'],
  'foreign-origin': [403, 'The request comes from a page of another origin'],
  'not-found': [404, 'Not found'],
  'method-not-allowed': [405, 'Method not allowed'],
  'not-acceptable': [406, 'No acceptable media type'],
  'request-timeout': [408, 'The request took too long to arrive'],
  'event-id-reused': [409, 'The event id was already used for other content'],
  'registration-conflict': [409, 'The cluster is registered to another account'],
  'cluster-deleted': [409, 'The cluster is already deleted'],
  'period-not-ended': [409, 'The period has not ended'],
  'period-in-grace': [409, 'The period is in its grace period for late facts'],
  'period-not-next': [409, 'Another period must be closed first'],
  'too-large': [413, 'The content is too large'],
  'uri-too-long': [414, 'The URL is too long'],
  'unsupported-media-type': [415, 'The media type is not supported'],
  'expectation-failed': [417, 'The expectation cannot be met'],
  'epoch-changed': [409, 'The log was restored and has lost events'],
  'rules-unknown': [409, 'The statements follow another version of the rules'],
  'billing-already-begun': [409, 'Statements already have a beginning'],
  'billing-already-closed': [409, 'A period is already closed'],
  'operator-key-first': [409, 'The first key must be one of an operator'],
  'last-operator-key': [409, 'The last key of an operator cannot be revoked'],
  'deletion-in-progress': [409, 'A deletion of the cluster is in progress'],
  'deletion-token-invalid': [409, 'The token does not confirm the deletion'],
  'deletion-ended': [409, 'The deletion has ended'],
  'correction-needs-operator': [403, 'Only an operator may correct the bill'],
  'transfer-needs-operator': [403, 'Only an operator may transfer a cluster'],
  'effective-implausible': [422, 'The fact is from before 2010'],
  'effective-in-future': [422, 'The fact is in the future'],
  'backdated-too-far': [422, 'The fact is too far in the past'],
  'cluster-unknown': [422, 'No registered cluster matches'],
  'cluster-ambiguous': [422, 'More than one cluster matches'],
  'void-target-unknown': [422, 'The fact to void does not exist'],
  'void-target-not-voidable': [422, 'The fact cannot be voided'],
  'clock-untrusted': [409, 'The clock of the ledger cannot be trusted'],
  'too-many-webhooks': [409, 'There are too many webhooks'],
  'nothing-lost': [409, 'The log lacks nothing that was acknowledged'],
  'no-identity-provider': [409, 'No identity provider is configured'],
  'no-validator': [409, 'The validator is not configured'],
  'wrong-host': [421, 'The request is for another host'],
  'headers-too-large': [431, 'The headers are too large'],
  'rate-limited': [429, 'Too many requests'],
  internal: [500, 'Internal error'],
  'catching-up': [503, 'The ledger is still reading its log'],
  'cluster-halted': [503, 'The facts of the cluster cannot be read'],
  'outcome-unknown': [503, 'The outcome is unknown'],
  'issuer-unavailable': [503, 'The issuer of the tokens cannot be reached'],
  overloaded: [503, 'The ledger is busy'],
  'position-not-reached': [503, 'The position has not been reached yet'],
  'read-only': [503, 'The ledger is read-only'],
  'store-failed': [503, 'The store has failed'],
  'store-unavailable': [503, 'The store cannot be reached'],
  'store-full': [507, 'The store is full'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** An invalid field of a request. `pointer` names the field: an RFC 6901 pointer into the body, or `/query/…`, `/headers/…`, `/path/…`. */
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
  /** The id of the request; for a rejected event, the id of the event. */
  readonly instance: string;
  readonly errors?: readonly FieldError[];
}

/** An error that the ledger answers as a problem document. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** The methods that the resource supports. */
  readonly allow: readonly string[] | undefined;
  /** Further headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    options: {
      readonly errors?: readonly FieldError[];
      readonly retryAfterSeconds?: number;
      readonly allow?: readonly string[];
      readonly headers?: Readonly<Record<string, string>>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.allow = options.allow;
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return PROBLEMS[this.code][0];
  }

  get title(): string {
    return PROBLEMS[this.code][1];
  }

  document(instance: string): ProblemDocument {
    const [status, title] = PROBLEMS[this.code];
    return {
      type: `urn:cluster-ledger:problem:${this.code}`,
      title,
      status,
      detail: this.message,
      instance,
      ...(this.errors !== undefined && { errors: this.errors }),
    };
  }
}

/** Returns the problem of a body that is too large. @param limit maximum size in bytes. */
export function bodyTooLarge(limit: number): Problem {
  const detail = `the body is larger than ${limit} bytes, the maximum of this resource; nothing was recorded; send less at once`;
  return new Problem('too-large', detail);
}

/** Returns the problem of a request that has invalid fields. */
export function invalidRequest(errors: readonly FieldError[]): Problem {
  const detail = errors
    .map((error) => `${error.pointer === '' ? 'the body' : error.pointer}: ${error.detail}`)
    .join('; ');
  return new Problem('invalid-request', detail, { errors });
}

/** A rejection of a valid fact or command. */
type Contradiction = Exclude<Rejection, { readonly errors: unknown }>;

/** Returns the problem of a fact or command that the ledger rejects. */
export function problemOf(rejection: Rejection): Problem {
  if ('errors' in rejection)
    return new Problem(rejection.code, rejection.detail, { errors: rejection.errors });
  return new Problem(rejection.code, detailOf(rejection), {
    errors: [{ pointer: pointerTo(rejection), detail: detailOf(rejection) }],
  });
}

function detailOf(rejection: Contradiction): string {
  switch (rejection.code) {
    case 'event-id-reused':
      return `this source and id were already used for an event with other content (event ${rejection.eventId}); nothing was changed`;
    case 'effective-in-future':
      return `time is ${formatInstant(rejection.effectiveAt)}; at most 5 minutes ahead, now ${formatInstant(rejection.latest)}, is allowed`;
    case 'backdated-too-far':
      return `time is ${formatInstant(rejection.effectiveAt)}; only an operator may post facts from before ${formatInstant(rejection.earliest)}`;
    case 'effective-implausible':
      return `time is ${formatInstant(rejection.effectiveAt)}; the earliest allowed is ${formatInstant(rejection.earliest)}: set the clock of the producer`;
    case 'registration-conflict':
      return `cluster ${rejection.clusterId} belongs to account ${rejection.knownAccountId} at that time, not to ${rejection.accountId}; to transfer it, post a ClusterChanged with the new accountId`;
    case 'transfer-needs-operator':
      return rejection.knownAccountId === undefined
        ? `cluster ${rejection.clusterId} has no account yet; only an operator may give it to ${rejection.accountId} by a change`
        : `cluster ${rejection.clusterId} belongs to account ${rejection.knownAccountId}; only an operator may transfer it to ${rejection.accountId}`;
    case 'correction-needs-operator':
      return `only an operator may post a ${rejection.factType}: it stops or resumes billing, or voids a fact`;
    case 'billing-already-begun':
      return `statements begin with ${rejection.begun}; that cannot be changed`;
    case 'billing-already-closed':
      return `${rejection.firstClosed} is closed, or is being closed; a beginning can only be recorded before the first period is closed`;
    case 'cluster-deleted':
      return `cluster ${rejection.clusterId} was deleted at ${formatInstant(rejection.deletedAt)}; register it under a new id`;
    case 'void-target-unknown':
      return `cluster ${rejection.clusterId} has no event ${rejection.voids}`;
    case 'void-target-not-voidable':
      return `event ${rejection.voids} is a ${rejection.targetType} that cannot be voided; post a correct fact instead`;
    case 'cluster-unknown':
      return `no registered cluster matches ${rejection.named}; post the fact with the id of the cluster`;
    case 'cluster-ambiguous':
      return `${rejection.named} matches ${rejection.candidates.join(', ')}; post the fact with the id of one of them`;
    case 'period-not-ended':
      return `${rejection.period} ends at ${formatInstant(rejection.endsAt)}; nothing was closed`;
    case 'period-in-grace':
      return `${rejection.period} is due at ${formatInstant(rejection.dueAt)}; to close it before, set early: true`;
    case 'period-not-next':
      return rejection.next === undefined
        ? `${rejection.period} cannot be closed: nothing is billed yet`
        : `periods close in order: the next is ${rejection.next}, not ${rejection.period}${
            rejection.mayBegin
              ? `. If another system has billed the time before, begin statements with ${rejection.period}: \`cluster-ledger billing begin ${rejection.period}\``
              : ''
          }`;
  }
}

function pointerTo({ code }: Contradiction): string {
  switch (code) {
    case 'event-id-reused':
      return '/id';
    case 'correction-needs-operator':
      return '/type';
    case 'registration-conflict':
    case 'transfer-needs-operator':
      return '/data/accountId';
    case 'billing-already-begun':
    case 'billing-already-closed':
      return '/period';
    case 'cluster-deleted':
    case 'effective-implausible':
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
