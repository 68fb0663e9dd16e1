import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { callFailure } from './call-failures.ts';
import { readExpected } from './expected-revision.ts';
import type { ArrivedWrite } from './faults.ts';
import { readStreamName } from './messages.ts';
import type { Node } from './node.ts';
import type { WriteOutcome } from './records.ts';
import { streamDeleted, wrongExpectedVersion } from './rpc-errors.ts';

/** Hides a stream until it is written again. */
export function softDelete(
  node: Node,
  { request }: ServerUnaryCall<streams.DeleteReq, streams.DeleteResp>,
  reply: sendUnaryData<streams.DeleteResp>,
): void {
  const { stream, expected } = readOptions(request.getOptions());
  const arrived = { op: 'soft delete', path: 'single', stream, expected, events: [] } as const;
  remove(
    node,
    arrived,
    () => node.log.softDelete(stream, expected),
    reply,
    (text) =>
      new streams.DeleteResp().setPosition(
        new streams.DeleteResp.Position().setCommitPosition(text).setPreparePosition(text),
      ),
  );
}

/** Ends a stream forever. */
export function tombstone(
  node: Node,
  { request }: ServerUnaryCall<streams.TombstoneReq, streams.TombstoneResp>,
  reply: sendUnaryData<streams.TombstoneResp>,
): void {
  const { stream, expected } = readOptions(request.getOptions());
  const arrived = { op: 'tombstone', path: 'single', stream, expected, events: [] } as const;
  remove(
    node,
    arrived,
    () => node.log.tombstone(stream, expected),
    reply,
    (text) =>
      new streams.TombstoneResp().setPosition(
        new streams.TombstoneResp.Position().setCommitPosition(text).setPreparePosition(text),
      ),
  );
}

type Options = streams.DeleteReq.Options | streams.TombstoneReq.Options;

function readOptions(options: Options | undefined): Pick<ArrivedWrite, 'stream' | 'expected'> {
  if (options === undefined) return { stream: '', expected: 'any' };
  return {
    stream: readStreamName(options.getStreamIdentifier()),
    expected: readExpected(options, () => options.getRevision()),
  };
}

function remove<Answer>(
  node: Node,
  arrived: ArrivedWrite,
  apply: () => WriteOutcome,
  reply: sendUnaryData<Answer>,
  answerAt: (position: string) => Answer,
): void {
  const result = node.faults.handleWrite(arrived, apply);
  if (result.reply === 'none') return;
  const { stream, expected } = arrived;
  if (result.reply === 'failure') reply(callFailure(result.failure, stream));
  else if (result.outcome.result === 'success') reply(null, answerAt(String(result.outcome.position)));
  else if (result.outcome.result === 'stream-deleted') reply(streamDeleted(stream));
  else reply(wrongExpectedVersion(stream, expected, result.outcome.current));
}
