import { createRequire } from 'node:module';
import rpcCode from '@eventstore/db-client/generated/code_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import rpcStatus from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { writeStreamName } from './messages.ts';
import { type ExpectedRevision, NO_REVISION } from './records.ts';

const { Code } = rpcCode;

type Answer = InstanceType<typeof streams.BatchAppendResp>;
type Status = InstanceType<typeof rpcStatus.Status>;
type Details = NonNullable<ReturnType<Status['getDetails']>>;

/** The client's own copy of protobuf, which is not a dependency of this project. */
const clientRequire = createRequire(createRequire(import.meta.url).resolve('@eventstore/db-client'));
const { Any }: { Any: new () => Details } = clientRequire('google-protobuf/google/protobuf/any_pb.js');

/** An append on the shared stream, as its answer has to name it. */
export interface BatchedAppend {
  readonly correlationId: string;
  readonly stream: string;
}

export function successAnswer(
  append: BatchedAppend,
  lastRevision: bigint,
  position: bigint | undefined,
): Answer {
  const success = new streams.BatchAppendResp.Success();
  if (lastRevision === NO_REVISION) success.setNoStream(new shared.Empty());
  else success.setCurrentRevision(lastRevision.toString());
  if (position === undefined) success.setNoPosition(new shared.Empty());
  else {
    const text = position.toString();
    success.setPosition(new shared.AllStreamPosition().setCommitPosition(text).setPreparePosition(text));
  }
  return answer(append).setSuccess(success);
}

export function wrongExpectedAnswer(
  append: BatchedAppend,
  expected: ExpectedRevision,
  current: bigint,
): Answer {
  const detail = new shared.WrongExpectedVersion();
  if (current === NO_REVISION) detail.setCurrentNoStream(new shared.Empty());
  else detail.setCurrentStreamRevision(current.toString());
  if (expected === 'any') detail.setExpectedAny(new shared.Empty());
  else if (expected === 'no_stream') detail.setExpectedNoStream(new shared.Empty());
  else if (expected === 'stream_exists') detail.setExpectedStreamExists(new shared.Empty());
  else detail.setExpectedStreamPosition(expected.toString());
  return errorAnswer(append, Code.ALREADY_EXISTS, 'WrongExpectedVersion', detail.serializeBinary());
}

export function streamDeletedAnswer(append: BatchedAppend): Answer {
  const detail = new shared.StreamDeleted().setStreamIdentifier(writeStreamName(append.stream));
  return errorAnswer(append, Code.NOT_FOUND, 'StreamDeleted', detail.serializeBinary());
}

export function tooLargeAnswer(append: BatchedAppend, limit: number): Answer {
  const detail = new shared.MaximumAppendSizeExceeded().setMaxappendsize(limit);
  return errorAnswer(append, Code.INVALID_ARGUMENT, 'MaximumAppendSizeExceeded', detail.serializeBinary());
}

export function badRequestAnswer(append: BatchedAppend, message: string): Answer {
  const detail = new shared.BadRequest().setMessage(message);
  return errorAnswer(append, Code.INVALID_ARGUMENT, 'BadRequest', detail.serializeBinary());
}

export const timeoutAnswer = (append: BatchedAppend): Answer =>
  errorAnswer(append, Code.DEADLINE_EXCEEDED, 'Timeout', new shared.Timeout().serializeBinary());

export const accessDeniedAnswer = (append: BatchedAppend): Answer =>
  errorAnswer(append, Code.PERMISSION_DENIED, 'AccessDenied', new shared.AccessDenied().serializeBinary());

export const unknownAnswer = (append: BatchedAppend): Answer =>
  errorAnswer(append, Code.UNKNOWN, 'Unknown', new shared.Unknown().serializeBinary());

/** Not ready and too busy are bare texts, which the client cannot distinguish from an unknown error. */
export function unhandledAnswer(append: BatchedAppend, message: string): Answer {
  const detail = pack('google.protobuf.Empty', new shared.Empty().serializeBinary());
  return answer(append).setError(new rpcStatus.Status().setMessage(message).setDetails(detail));
}

function errorAnswer(append: BatchedAppend, code: rpcCode.Code, name: string, detail: Uint8Array): Answer {
  const error: Status = new rpcStatus.Status()
    .setCode(code)
    .setMessage(name)
    .setDetails(pack(`event_store.client.${name}`, detail));
  return answer(append).setError(error);
}

function pack(typeName: string, detail: Uint8Array): Details {
  const packed = new Any();
  packed.pack(detail, typeName);
  return packed;
}

function answer({ correlationId, stream }: BatchedAppend): Answer {
  return new streams.BatchAppendResp()
    .setCorrelationId(new shared.UUID().setString(correlationId))
    .setStreamIdentifier(writeStreamName(stream));
}
