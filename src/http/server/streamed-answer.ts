import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HeavyTurn } from './heavy-reads.ts';

/** By default, an answer up to this size, in characters, is sent as a whole, with a length and an ETag. */
const WHOLE_UP_TO = 256 * 1024;
/** As `wholeUpTo`: the answer is sent in parts, whatever its size, because it is not to be cached. */
export const STREAMED = 0;
/** Minimum size of the parts of a larger answer. */
const PART = 64 * 1024;

/**
 * Sends an answer of a heavy read as it is computed. A part is computed when the client has read those before it, so that
 * neither a large answer nor a slow client takes much memory.
 * @param pieces of any size. An error before the first part is answered as a problem; a later one ends the connection.
 * @param wholeUpTo the size up to which the answer is sent as a whole.
 */
export async function sendPieces(
  { method, turn }: FastifyRequest,
  reply: FastifyReply,
  pieces: AsyncIterable<string>,
  wholeUpTo = WHOLE_UP_TO,
): Promise<FastifyReply> {
  const iterator = pieces[Symbol.asyncIterator]();
  let first = '';
  do {
    const { done, value } = await iterator.next();
    if (done === true) return reply.send(wholeUpTo === STREAMED ? Readable.from([first]) : first);
    first += value;
  } while (first.length < Math.max(wholeUpTo, PART));
  if (method === 'HEAD') {
    await iterator.return?.();
    return reply.send(Readable.from([]));
  }
  return reply.send(Readable.from(partsOf(first, iterator, turn), { objectMode: false }));
}

/** Yields parts of a minimum size, and gives up the turn while the client reads. */
async function* partsOf(
  first: string,
  rest: AsyncIterator<string>,
  turn: HeavyTurn | undefined,
): AsyncGenerator<string> {
  let part = first;
  try {
    for (;;) {
      if (part.length >= PART) {
        turn?.pause();
        yield part;
        part = '';
        await turn?.resume();
      }
      const { done, value } = await rest.next();
      if (done === true) break;
      part += value;
    }
    if (part !== '') yield part;
  } finally {
    await rest.return?.();
  }
}

/**
 * Yields the pieces of a JSON object that has an array.
 * @param head the members before the array, and `rest` those after it.
 * @param items the pieces of the items, with the commas between them.
 */
export async function* objectWithArray(
  head: object,
  name: string,
  items: AsyncIterable<string>,
  rest: object = {},
): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},${JSON.stringify(name)}:[`;
  yield* items;
  const members = JSON.stringify(rest).slice(1);
  yield members === '}' ? ']}' : `],${members}`;
}
