import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerReadableStream, sendUnaryData } from '@grpc/grpc-js';
import { callFailure } from './call-failures.ts';
import { readExpected } from './expected-revision.ts';
import type { WriteFailure } from './faults.ts';
import { BadRequest, readProposed, readStreamName } from './messages.ts';
import type { Node } from './node.ts';
import { type ExpectedRevision, NO_REVISION, type ProposedEvent, type WriteOutcome } from './records.ts';
import { handlerThrew, maxAppendSizeExceeded, type RpcError, streamDeleted } from './rpc-errors.ts';

type Request = streams.AppendReq;
type Answer = streams.AppendResp;

/** One Append call: the options, then an event per message; the answer comes when the client has said it all. */
export function appendSingly(
  node: Node,
  call: ServerReadableStream<Request, Answer>,
  reply: sendUnaryData<Answer>,
): void {
  let stream = '';
  let expected: ExpectedRevision = 'any';
  const events: ProposedEvent[] = [];
  let isAnswered = false;
  const answer: sendUnaryData<Answer> = (error, message) => {
    if (!isAnswered) reply(error, message);
    isAnswered = true;
  };

  call.on('data', (request: Request) => {
    const options = request.getOptions();
    const message = request.getProposedMessage();
    if (options !== undefined) {
      stream = readStreamName(options.getStreamIdentifier());
      expected = readExpected(options, () => options.getRevision());
    } else if (message !== undefined) {
      try {
        events.push(readProposed(message));
      } catch (error) {
        if (!(error instanceof BadRequest)) throw error;
        answer(handlerThrew());
      }
      if (node.isTooLarge(events)) answer(maxAppendSizeExceeded(node.maxAppendSize));
    }
  });
  call.on('end', () => {
    if (isAnswered || call.cancelled) return;
    const arrived = { op: 'append', path: 'single', stream, expected, events } as const;
    const result = node.faults.handleWrite(arrived, () => node.log.append(stream, events, expected));
    if (result.reply === 'none') return;
    const message =
      result.reply === 'outcome'
        ? answerOutcome(stream, expected, result.outcome)
        : answerFailure(stream, expected, result.failure, node);
    if (message instanceof Error) answer(message);
    else answer(null, message);
  });
}

function answerOutcome(stream: string, expected: ExpectedRevision, outcome: WriteOutcome): Answer | RpcError {
  switch (outcome.result) {
    case 'success':
      return success(outcome.lastRevision, outcome.position);
    case 'wrong-expected-revision':
      return wrongExpected(expected, outcome.current);
    case 'stream-deleted':
      return streamDeleted(stream);
  }
}

/** A wrong revision is the one failure that is a message and not a status. */
function answerFailure(
  stream: string,
  expected: ExpectedRevision,
  failure: WriteFailure,
  { log }: Node,
): Answer | RpcError {
  if (failure === 'wrong-expected-revision') return wrongExpected(expected, log.lastRevision(stream));
  return callFailure(failure, stream);
}

function success(lastRevision: bigint, position: bigint | undefined): Answer {
  const message = new streams.AppendResp.Success();
  if (lastRevision === NO_REVISION) message.setNoStream(new shared.Empty());
  else message.setCurrentRevision(lastRevision.toString());
  if (position === undefined) message.setNoPosition(new shared.Empty());
  else {
    const text = position.toString();
    message.setPosition(new streams.AppendResp.Position().setCommitPosition(text).setPreparePosition(text));
  }
  return new streams.AppendResp().setSuccess(message);
}

function wrongExpected(expected: ExpectedRevision, current: bigint): Answer {
  const message = new streams.AppendResp.WrongExpectedVersion();
  if (expected === 'any') message.setExpectedAny(new shared.Empty());
  else if (expected === 'no_stream') message.setExpectedNoStream(new shared.Empty());
  else if (expected === 'stream_exists') message.setExpectedStreamExists(new shared.Empty());
  else message.setExpectedRevision(expected.toString());
  if (current === NO_REVISION) message.setCurrentNoStream(new shared.Empty());
  else message.setCurrentRevision(current.toString());
  return new streams.AppendResp().setWrongExpectedVersion(message);
}
