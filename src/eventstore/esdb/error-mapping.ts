import {
  AccessDeniedError,
  CancelledError,
  convertToCommandError,
  DeadlineExceededError,
  MaxAppendSizeExceededError,
  StreamDeletedError,
  TimeoutError,
  UnavailableError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { InvalidAppend, StoreUnavailable, VersionConflict } from '../store-errors.ts';

/** What the client throws is often a raw gRPC error: made into one of its own where it can be. */
function known(error: unknown): unknown {
  return error instanceof Error ? convertToCommandError(error) : error;
}

/** What failed, in a word for people. */
export function describe(error: unknown): string {
  const found = known(error);
  if (!(found instanceof Error)) return String(found);
  const { type } = found as { type?: unknown };
  return typeof type === 'string' ? `${type}: ${found.message}` : found.message;
}

/** What a failed append means to its caller. */
export function appendFailure(error: unknown): VersionConflict | InvalidAppend | StoreUnavailable {
  const found = known(error);
  if (found instanceof WrongExpectedVersionError) {
    const { streamName, expectedVersion, actualVersion } = found;
    return new VersionConflict(`${streamName} is at ${actualVersion}, not at ${expectedVersion}`);
  }
  if (found instanceof MaxAppendSizeExceededError)
    return new InvalidAppend(describe(found), { cause: error });
  return new StoreUnavailable(`the append was not acknowledged: ${describe(found)}`, { cause: error });
}

/**
 * Whether the client goes on by itself after an error. After any other (a discovery that failed is remembered for ever,
 * for one) only a new client does.
 */
export function recoversByItself(error: unknown): boolean {
  const found = known(error);
  return [
    AccessDeniedError,
    CancelledError,
    DeadlineExceededError,
    MaxAppendSizeExceededError,
    StreamDeletedError,
    TimeoutError,
    UnavailableError,
    WrongExpectedVersionError,
  ].some((kind) => found instanceof kind);
}
