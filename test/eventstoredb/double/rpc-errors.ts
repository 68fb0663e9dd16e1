import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { ExpectedRevision } from './records.ts';

/** The address of the leader. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** An error as the server ends a call with it: the status, and the trailers that say more. */
export class RpcError extends Error implements ServiceError {
  override readonly name = 'RpcError';
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;

  constructor(code: status, details: string, trailers: Record<string, string> = {}) {
    super(details);
    this.code = code;
    this.details = details;
    this.metadata = new Metadata();
    for (const [key, value] of Object.entries(trailers)) this.metadata.set(key, value);
  }
}

export const notReady = (): RpcError => new RpcError(status.UNAVAILABLE, 'Server Is Not Ready');

export const tooBusy = (): RpcError => new RpcError(status.UNAVAILABLE, 'Server Is Too Busy');

export const timedOut = (why: string): RpcError =>
  new RpcError(status.ABORTED, `Operation timed out: ${why}`);

export const unexpected = (kind: string, result: string): RpcError =>
  new RpcError(status.UNKNOWN, `Unexpected ${kind}: ${result}`);

export const handlerThrew = (): RpcError => new RpcError(status.UNKNOWN, 'Exception was thrown by handler.');

export const accessDenied = (): RpcError =>
  new RpcError(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });

export const notLeader = ({ host, port }: Endpoint): RpcError =>
  new RpcError(status.NOT_FOUND, 'Leader info available', {
    exception: 'not-leader',
    'leader-endpoint-host': host,
    'leader-endpoint-port': String(port),
  });

export const streamDeleted = (stream: string): RpcError =>
  new RpcError(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });

export const maxAppendSizeExceeded = (limit: number): RpcError =>
  new RpcError(status.INVALID_ARGUMENT, `Maximum Append Size of ${limit} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(limit),
  });

/** Only deletes say it this way: an append answers with a message. */
export function wrongExpectedVersion(stream: string, expected: ExpectedRevision, actual: bigint): RpcError {
  const number = typeof expected === 'bigint' ? expected : REVISION_NUMBERS[expected];
  const what = `Stream: ${stream}, Expected version: ${number}, Actual version: ${actual}`;
  return new RpcError(status.FAILED_PRECONDITION, `Delete failed due to WrongExpectedVersion. ${what}`, {
    exception: 'wrong-expected-version',
    'stream-name': stream,
    'expected-version': number.toString(),
    'actual-version': actual.toString(),
  });
}

const REVISION_NUMBERS = { any: -2n, no_stream: -1n, stream_exists: -4n };
