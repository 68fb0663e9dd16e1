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
import { InvalidAppend, StoreRefused, StoreUnavailable, VersionConflict } from '../store-errors.ts';

/** Converts a raw gRPC error, which the client often throws, into an error class of the client if there is one. */
export function commandError(error: unknown): unknown {
  return error instanceof Error ? convertToCommandError(error) : error;
}

/** Returns a description of an error for operators. */
export function describe(error: unknown): string {
  const converted = commandError(error);
  if (!(converted instanceof Error)) return String(converted);
  const { type } = converted as { type?: unknown };
  return typeof type === 'string' ? `${type}: ${converted.message}` : converted.message;
}

/** Returns the error of the port for a failed append. */
export function appendFailure(error: unknown): VersionConflict | InvalidAppend | StoreUnavailable {
  const converted = commandError(error);
  if (converted instanceof AccessDeniedError) return denied(error);
  if (converted instanceof WrongExpectedVersionError) {
    const { streamName, expectedVersion, actualVersion } = converted;
    return new VersionConflict(`${streamName} is at ${actualVersion}, not at ${expectedVersion}`);
  }
  if (converted instanceof MaxAppendSizeExceededError)
    return new InvalidAppend(describe(converted), { cause: error });
  return new StoreUnavailable(`the append was not acknowledged: ${describe(converted)}`, { cause: error });
}

/** Returns the error of the port for a failed read. */
export function readFailure(error: unknown): StoreUnavailable {
  if (error instanceof StoreUnavailable) return error;
  if (commandError(error) instanceof AccessDeniedError) return denied(error);
  return new StoreUnavailable(describe(error), { cause: error });
}

function denied(error: unknown): StoreRefused {
  return new StoreRefused('the server does not give the ledger the rights that it needs', { cause: error });
}

/**
 * Returns whether a client can still be used after an error: it reconnects after these errors. After any other error only a new
 * client works. For example, a client keeps the rejected promise of a failed cluster discovery as its channel, and every later
 * call fails with it.
 */
export function recoversByItself(error: unknown): boolean {
  const converted = commandError(error);
  return [
    AccessDeniedError,
    CancelledError,
    DeadlineExceededError,
    MaxAppendSizeExceededError,
    StreamDeletedError,
    TimeoutError,
    UnavailableError,
    WrongExpectedVersionError,
  ].some((kind) => converted instanceof kind);
}
