import { status } from '@grpc/grpc-js';
import type { ReadFailure, WriteFailure } from './faults.ts';
import {
  accessDenied,
  notLeader,
  notReady,
  RpcError,
  streamDeleted,
  timedOut,
  tooBusy,
  unexpected,
  wrongExpectedVersion,
} from './rpc-errors.ts';

/** The status that ends a call on which this went wrong. */
export function callFailure(failure: WriteFailure | ReadFailure, stream: string): RpcError {
  if (typeof failure === 'object') return notLeader(failure.notLeader);
  switch (failure) {
    case 'not-ready':
      return notReady();
    case 'busy':
      return tooBusy();
    case 'timeout':
      return timedOut('Commit timeout');
    case 'stream-deleted':
      return streamDeleted(stream);
    case 'wrong-expected-revision':
      return wrongExpectedVersion(stream, 'any', 0n);
    case 'access-denied':
      return accessDenied();
    case 'unknown':
      return unexpected('OperationResult', 'InvalidTransaction');
    case 'unavailable':
      return new RpcError(status.UNAVAILABLE, 'Connection dropped');
    case 'cancelled':
      return new RpcError(status.CANCELLED, 'The call was cancelled by the server');
  }
}
