import type { Readable } from 'node:stream';
import { type StreamingRead, StreamNotFoundError } from '@eventstore/db-client';
import { status } from '@grpc/grpc-js';
import { withDeadline } from '../../util/with-deadline.ts';
import { StoreUnavailable } from '../store-errors.ts';

/**
 * Yields the events of a read, and ends only if the server reported that the read is complete. A stream that does not exist has
 * no events.
 *
 * A stream of `@eventstore/db-client` 6.2 also ends, without an error, when its client is disposed of. Therefore the end of the
 * stream proves nothing: only the status OK of its gRPC call does.
 *
 * @param readMs maximum time to wait for the next event.
 * @throws StoreUnavailable, or an error of the client, if the read did not complete. An iteration that is left early is canceled.
 */
export async function* completeRead<E>(read: StreamingRead<E>, readMs: number): AsyncGenerator<E> {
  let code: status | undefined;
  read.on('pipe', (call) =>
    (call as Readable).on('status', (ended: { code: status }) => {
      code = ended.code;
    }),
  );
  // The client emits an error for a stream that does not exist. Without a listener it would end the process.
  read.on('error', () => undefined);
  const late = () => new StoreUnavailable(`the server sent no event within ${readMs} ms`);
  const iterator = read[Symbol.asyncIterator]();
  let hasEnded = false;
  try {
    for (;;) {
      const next: Promise<IteratorResult<E>> = iterator.next();
      const { done, value } = await withDeadline(next, readMs, late);
      if (done === true) break;
      yield value;
    }
    hasEnded = true;
  } catch (error) {
    hasEnded = error instanceof StreamNotFoundError;
    if (!hasEnded) throw error;
    code = status.OK;
  } finally {
    if (!hasEnded) void read.cancel().catch(() => undefined);
  }
  if (code !== status.OK)
    throw new StoreUnavailable('the connection was closed before the server reported the end of the read');
}
