import type { FastifyReply, FastifyRequest } from 'fastify';
import { LogTampered } from '../../audit/signed-log.ts';
import {
  InvalidAppend,
  LogBehind,
  StoreBusy,
  StoreClosed,
  StoreFailed,
  StoreFull,
  StoreRefused,
  StoreUnavailable,
} from '../../eventstore/store-errors.ts';
import {
  ClockUntrusted,
  NotCaughtUp,
  OutcomeUnknown,
  Overloaded,
  PartlyRecorded,
} from '../../ledger/ledger-errors.ts';
import { ReadOnly } from '../../ledger/read-only-latch.ts';
import { bodyTooLarge, Problem } from './problem.ts';

/** Problems for the errors of Fastify, by error code. */
const FRAMEWORK: Readonly<Record<string, (message: string) => Problem>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: (message) => new Problem('unsupported-media-type', message),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: (message) => new Problem('malformed-http', message),
  FST_ERR_BAD_URL: (message) => new Problem('malformed-http', message),
  FST_ERR_MAX_PARAM_LENGTH: (message) => new Problem('uri-too-long', message),
};

/**
 * Returns the problem that reports an error to the client. The problem of an unexpected error contains no internals.
 * @param request `isRead`: whether it only reads, so that it does not matter whether anything was recorded; `bodyLimit`: maximum size
 *   of its body in bytes.
 */
export function problemFor(
  error: unknown,
  { isRead = false, bodyLimit = 0 }: { readonly isRead?: boolean; readonly bodyLimit?: number } = {},
): Problem {
  if (error instanceof Problem) return error;
  const cause = error;
  if (error instanceof OutcomeUnknown) {
    const detail =
      error instanceof PartlyRecorded
        ? `${error.message}; post the same events again`
        : 'the store did not confirm in time: the facts may or may not be recorded; post the same events again';
    return new Problem('outcome-unknown', detail, { retryAfterSeconds: 1, cause });
  }
  if (error instanceof StoreFailed) {
    const detail =
      'the store has failed: the facts may or may not be recorded; post the same events again when the ledger is back';
    return new Problem('store-failed', detail, { retryAfterSeconds: 5, cause });
  }
  if (error instanceof StoreFull)
    return new Problem('store-full', 'the store is full; nothing was recorded', { cause });
  if (error instanceof StoreUnavailable) {
    const isRefused = error instanceof StoreRefused;
    const isKnown = isRefused || error instanceof StoreBusy;
    const why = isKnown ? error.message : 'the store cannot be reached';
    return new Problem('store-unavailable', isRead ? why : `${why}; nothing was recorded`, {
      retryAfterSeconds: isRefused ? 5 : 1,
      cause,
    });
  }
  if (error instanceof StoreClosed) {
    return new Problem('overloaded', 'the ledger is shutting down; nothing was recorded', {
      retryAfterSeconds: 2,
      cause,
    });
  }
  if (error instanceof Overloaded) {
    return new Problem('overloaded', 'too many writes are waiting; nothing was recorded', {
      retryAfterSeconds: 1,
      cause,
    });
  }
  if (error instanceof NotCaughtUp)
    return new Problem('catching-up', `${error.message}; nothing was recorded`, {
      retryAfterSeconds: 1,
      cause,
    });
  if (error instanceof ClockUntrusted) {
    const detail = `the clock of the host cannot be trusted: ${error.message}; no cluster was probed; set the clock, or confirm the time with POST /v1/clock/trust`;
    return new Problem('clock-untrusted', detail, { cause });
  }
  if (error instanceof LogBehind || (error instanceof ReadOnly && error.kind === 'log-behind'))
    return new Problem('read-only', `${behind(error.message)}; nothing was recorded`, { cause });
  if (error instanceof ReadOnly || error instanceof LogTampered) {
    const detail = `the log differs from what was signed (${error.message}); the ledger is read-only until an operator investigates; nothing was recorded`;
    return new Problem('read-only', detail, { cause });
  }
  if (error instanceof InvalidAppend) return new Problem('too-large', error.message, { cause });
  if ((error as NodeJS.ErrnoException).code?.startsWith('Z_') === true)
    return new Problem('malformed-http', `the body is not valid gzip: ${(error as Error).message}`);
  const { code, statusCode, message } = error as { code?: string; statusCode?: number; message?: string };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return bodyTooLarge(bodyLimit);
  const known = FRAMEWORK[code ?? ''];
  if (known !== undefined) return known(message ?? '');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new Problem('malformed-http', message ?? 'the request is not valid', { cause });
  }
  return new Problem('internal', 'internal error; see the log of the server for the id of this request', {
    cause,
  });
}

/** Returns the detail of a problem while the log lacks events. */
export function behind(why: string): string {
  return `events that were acknowledged are missing (${why}); the ledger is read-only until an operator restores them or accepts the loss`;
}

/** Statuses of problems that every request has while their cause lasts: 503, and 507 for a full disk. */
const LASTING: ReadonlySet<number> = new Set([503, 507]);

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): void {
  const { status, retryAfterSeconds, cause } = problem;
  if (LASTING.has(status)) request.server.shedLog.note(problem.code, problem.message);
  else if (status >= 500)
    request.log.error({ err: cause ?? problem, problem: problem.code }, problem.message);
  else
    request.log.debug(
      { problem: problem.code, path: request.url.split('?')[0] },
      withoutUserInfo(problem.message),
    );
  if (problem.allow !== undefined) reply.header('allow', problem.allow.join(', '));
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  void reply
    .code(status)
    .headers(problem.headers)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(JSON.stringify(problem.document(request.id)));
}

/** Removes users and passwords from the URLs in a text, which a client may have sent by mistake. */
function withoutUserInfo(text: string): string {
  return text.replaceAll(/\/\/[^/\s@]*@/g, '//…@');
}
