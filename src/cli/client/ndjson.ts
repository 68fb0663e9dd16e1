import type { z } from 'zod';
import { type Client, whole } from './client.ts';
import { bodyOf, readAs } from './requests.ts';

/** How much may stand between two line breaks. */
const LONGEST = 16 * 1024 * 1024;

/**
 * The lines of an answer in NDJSON, as many at a time as have come.
 * @throws Failure where one is of another shape, or the answer breaks off.
 */
export async function* linesOf<T extends z.ZodType>(
  client: Client,
  response: Response,
  schema: T,
): AsyncGenerator<z.output<T>[]> {
  const chunks = bodyOf(response)[Symbol.asyncIterator]();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done = false, value } = await whole(client, () => chunks.next());
    rest += done ? decoder.decode() : decoder.decode(value as Uint8Array, { stream: true });
    const lines = rest.split('\n');
    rest = done ? '' : (lines.pop() as string);
    if (rest.length > LONGEST) throw new RangeError(`a line of more than ${LONGEST} characters`);
    const items = lines.filter((line) => line !== '').map((line) => readAs(client, line, schema));
    if (items.length > 0) yield items;
    if (done) return;
  }
}
