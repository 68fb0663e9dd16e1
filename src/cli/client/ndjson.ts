import type { z } from 'zod';
import { type Client, readBody } from './client.ts';
import { bodyOf, parseAnswer } from './requests.ts';

/** Maximum number of characters per line. */
const MAX_LINE_LENGTH = 16 * 1024 * 1024;

/**
 * Yields the parsed lines of an NDJSON response, in batches as they arrive.
 * @throws CliError if a line does not fit the schema, or the response ends early.
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
    const { done = false, value } = await readBody(client, () => chunks.next());
    rest += done ? decoder.decode() : decoder.decode(value as Uint8Array, { stream: true });
    const lines = rest.split('\n');
    rest = done ? '' : (lines.pop() as string);
    if (rest.length > MAX_LINE_LENGTH)
      throw new RangeError(`a line of more than ${MAX_LINE_LENGTH} characters`);
    const items = lines.filter((line) => line !== '').map((line) => parseAnswer(client, line, schema));
    if (items.length > 0) yield items;
    if (done) return;
  }
}
