import type streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import {
  accessDeniedAnswer,
  type BatchedAppend,
  badRequestAnswer,
  streamDeletedAnswer,
  successAnswer,
  timeoutAnswer,
  tooLargeAnswer,
  unhandledAnswer,
  unknownAnswer,
  wrongExpectedAnswer,
} from './batch-answers.ts';
import { callFailure } from './call-failures.ts';
import { readExpected } from './expected-revision.ts';
import type { WriteFailure } from './faults.ts';
import { BadRequest, readProposed, readStreamName } from './messages.ts';
import type { Node } from './node.ts';
import type { ExpectedRevision, ProposedEvent, WriteOutcome } from './records.ts';
import type { RpcError } from './rpc-errors.ts';

type Request = streams.BatchAppendReq;
type Answer = streams.BatchAppendResp;
type Call = ServerDuplexStream<Request, Answer>;

interface PendingAppend extends BatchedAppend {
  readonly expected: ExpectedRevision;
  readonly events: ProposedEvent[];
  readonly expiry: NodeJS.Timeout;
}

/**
 * One BatchAppend call: many appends share it, each known by its correlation id. An append is pending from its first
 * chunk to its last; what is still pending when its time is over is answered with Timeout. A bad request stays pending,
 * as on the real server, and so is answered twice.
 */
export class BatchAppendCall {
  readonly #node: Node;
  readonly #call: Call;
  readonly #pending = new Map<string, PendingAppend>();

  constructor(node: Node, call: Call) {
    this.#node = node;
    this.#call = call;
    call.on('data', (request: Request) => this.#receive(request));
    call.on('end', () => call.end());
    call.on('close', () => this.#forgetPending());
    call.on('cancelled', () => this.#forgetPending());
  }

  #receive(request: Request): void {
    const correlationId = request.getCorrelationId()?.getString() ?? '';
    const stream = readStreamName(request.getOptions()?.getStreamIdentifier());
    try {
      if (request.hasOptions() && !this.#open(request, { correlationId, stream })) return;
      const append = this.#pending.get(correlationId);
      if (append !== undefined) this.#continue(append, request);
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      this.#call.write(badRequestAnswer({ correlationId, stream }, error.message));
    }
  }

  /** @returns whether the append may go on. */
  #open(request: Request, append: BatchedAppend): boolean {
    const options = request.getOptions();
    const deadline = options?.getDeadline()?.toDate().getTime() ?? Number.POSITIVE_INFINITY;
    const timeLeftMs = Math.min(deadline - Date.now(), this.#node.writeTimeoutMs);
    if (options === undefined || timeLeftMs <= 0) {
      this.#call.write(timeoutAnswer(append));
      return false;
    }
    const expected = readExpected(options, () => options.getStreamPosition());
    const expiry = setTimeout(() => {
      this.#pending.delete(append.correlationId);
      this.#call.write(timeoutAnswer(append));
    }, timeLeftMs);
    this.#pending.set(append.correlationId, { ...append, expected, events: [], expiry });
    return true;
  }

  #continue(append: PendingAppend, request: Request): void {
    append.events.push(...request.getProposedMessagesList().map(readProposed));
    if (this.#node.isTooLarge(append.events)) {
      this.#close(append);
      this.#call.write(tooLargeAnswer(append, this.#node.maxAppendSize));
    } else if (request.getIsFinal()) {
      this.#close(append);
      this.#write(append);
    }
  }

  #write(append: PendingAppend): void {
    const { stream, expected, events } = append;
    const arrived = { op: 'append', path: 'batch', stream, expected, events } as const;
    const reply = this.#node.faults.handleWrite(arrived, () =>
      this.#node.log.append(stream, events, expected),
    );
    if (reply.reply === 'outcome') this.#call.write(answerOutcome(append, reply.outcome));
    if (reply.reply === 'failure') this.#fail(append, reply.failure);
  }

  #fail(append: PendingAppend, failure: WriteFailure): void {
    const answer = answerFailure(append, failure, this.#node);
    if (answer instanceof Error) this.#call.emit('error', answer);
    else this.#call.write(answer);
  }

  #close(append: PendingAppend): void {
    clearTimeout(append.expiry);
    this.#pending.delete(append.correlationId);
  }

  #forgetPending(): void {
    for (const append of this.#pending.values()) this.#close(append);
  }
}

function answerOutcome(append: PendingAppend, outcome: WriteOutcome): Answer {
  switch (outcome.result) {
    case 'success':
      return successAnswer(append, outcome.lastRevision, outcome.position);
    case 'wrong-expected-revision':
      return wrongExpectedAnswer(append, append.expected, outcome.current);
    case 'stream-deleted':
      return streamDeletedAnswer(append);
  }
}

/** @returns the answer to this append, or what ends the whole call. */
function answerFailure(append: PendingAppend, failure: WriteFailure, { log }: Node): Answer | RpcError {
  switch (failure) {
    case 'not-ready':
      return unhandledAnswer(append, 'Server Is Not Ready');
    case 'busy':
      return unhandledAnswer(append, 'Server Is Busy');
    case 'timeout':
      return timeoutAnswer(append);
    case 'wrong-expected-revision':
      return wrongExpectedAnswer(append, append.expected, log.lastRevision(append.stream));
    case 'stream-deleted':
      return streamDeletedAnswer(append);
    case 'access-denied':
      return accessDeniedAnswer(append);
    case 'unknown':
      return unknownAnswer(append);
    default:
      return callFailure(failure, append.stream);
  }
}
