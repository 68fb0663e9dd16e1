import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { callFailure } from './call-failures.ts';
import { everything } from './event-filter.ts';
import { eventMessage, notFoundMessage, readStreamName } from './messages.ts';
import type { Node } from './node.ts';
import {
  isPosition,
  PAGE_SIZE,
  readAllBackwards,
  readAllForwards,
  readStreamBackwards,
  readStreamForwards,
  type StreamPage,
} from './read-pages.ts';
import type { LogEvent } from './records.ts';
import { type RpcError, streamDeleted, unexpected } from './rpc-errors.ts';
import { type ReadCall, send } from './send.ts';
import { subscribe } from './subscription.ts';

type Options = streams.ReadReq.Options;

const FORWARDS = 0;

/** One Read call, which is a read of a stream or of $all, or a subscription to one. */
export async function read(node: Node, call: ReadCall): Promise<void> {
  const options = call.request.getOptions();
  const failure = node.faults.takeReadFailure();
  if (options === undefined || failure !== undefined) {
    call.emit('error', callFailure(failure ?? 'unknown', ''));
    return;
  }
  if (node.faults.isReadDenied(options.hasStream() ? 'read streams' : 'read $all')) {
    call.emit('error', callFailure('access-denied', ''));
    return;
  }
  if (options.hasSubscription()) return subscribe(node, call, options);
  node.reads.add(call);
  const error = options.hasStream()
    ? await readStream(node, call, options)
    : await readAll(node, call, options);
  if (error !== undefined) call.emit('error', error);
  else call.end();
}

/** @returns the error with which the call ends, if it fails. */
async function readStream(node: Node, call: ReadCall, options: Options): Promise<RpcError | undefined> {
  const from = options.getStream();
  const stream = readStreamName(from?.getStreamIdentifier());
  const isForwards = options.getReadDirection() === FORWARDS;
  let left = Number(options.getCount());
  if (left <= 0 || (isForwards && from?.hasEnd())) return unexpected('ReadStreamResult', 'Error');
  let next = from?.hasRevision() ? BigInt(from.getRevision()) : 0n;
  if (from?.hasEnd()) next = node.readableLog.lastRevision(stream);
  const readPage = isForwards ? readStreamForwards : readStreamBackwards;
  for (;;) {
    const page: StreamPage = readPage(node.readableLog, stream, next, Math.min(left, PAGE_SIZE));
    if (page.result === 'stream-deleted') return streamDeleted(stream);
    if (page.result === 'stream-not-found') {
      await send(call, notFoundMessage(stream));
      return undefined;
    }
    if (!(await sendEvents(call, page.events))) return undefined;
    left -= page.events.length;
    if (page.isEnd || left <= 0) return undefined;
    next = page.next;
  }
}

async function readAll(node: Node, call: ReadCall, options: Options): Promise<RpcError | undefined> {
  const from = options.getAll();
  const isForwards = options.getReadDirection() === FORWARDS;
  let left = Number(options.getCount());
  let next = from?.hasEnd() ? node.readableLog.end : BigInt(from?.getPosition()?.getCommitPosition() ?? 0);
  if (!isPosition(node.readableLog, next)) return unexpected('ReadAllResult', 'Error');
  const readPage = isForwards ? readAllForwards : readAllBackwards;
  while (left > 0) {
    const page = readPage(node.readableLog, next, Math.min(left, PAGE_SIZE), everything);
    if (!(await sendEvents(call, page.events))) return undefined;
    left -= page.events.length;
    if (page.isEnd) return undefined;
    next = page.next;
  }
  return undefined;
}

async function sendEvents(call: ReadCall, events: readonly LogEvent[]): Promise<boolean> {
  for (const event of events) {
    if (!(await send(call, eventMessage(event)))) return false;
  }
  return true;
}
