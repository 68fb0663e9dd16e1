import {
  convertToCommandError,
  isCommandError,
  MaxAppendSizeExceededError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import type { GoldenAnswer } from './golden-case.ts';

/** The server went away in the middle of a case, which says nothing about its answers: the case is to be repeated. */
export class Disrupted extends Error {
  override readonly name = 'Disrupted';
}

const DISRUPTIONS = new Set(['unavailable', 'cancelled', 'timeout', 'deadline-exceeded']);

/**
 * @returns the error as the cases show it.
 * @throws Disrupted the server is gone.
 */
export function errorAnswer(error: unknown): GoldenAnswer {
  if (!(error instanceof Error)) throw error;
  const known = convertToCommandError(error);
  if (!isCommandError(known)) throw error;
  const isDropped = known.message.includes('RST_STREAM') || known.message.includes('Server Is Not Ready');
  if (DISRUPTIONS.has(known.type) || isDropped) throw new Disrupted(known.message, { cause: error });
  if (known instanceof WrongExpectedVersionError) {
    const { expectedVersion, actualVersion } = known;
    return { error: known.type, expected: plain(expectedVersion), actual: plain(actualVersion) };
  }
  if (known instanceof MaxAppendSizeExceededError) {
    return { error: known.type, maxAppendSize: known.maxAppendSize };
  }
  return known.type === 'unknown' ? { error: known.type, message: known.message } : { error: known.type };
}

const plain = (revision: bigint | string): number | string =>
  typeof revision === 'bigint' ? Number(revision) : revision;
