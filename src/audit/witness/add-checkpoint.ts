import { messageOf } from '../../util/message-of.ts';

/** Maximum duration of a request, in milliseconds. */
const TIMEOUT_MS = 10_000;
/** Maximum size of an answer, in bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;
const SIZE_TYPE = 'text/x.tlog.size';

/** The answer of a witness. */
export type WitnessAnswer =
  | { readonly outcome: 'cosigned'; readonly lines: readonly string[] }
  /** The witness has cosigned a checkpoint of another size before. */
  | { readonly outcome: 'conflict'; readonly size: number }
  | { readonly outcome: 'failed'; readonly why: string };

/**
 * Posts a new checkpoint to a witness (https://c2sp.org/tlog-witness, add-checkpoint).
 * @param url the prefix of the witness.
 * @param old size of the tree that the witness knows, 0 for none.
 * @param proof hashes of the consistency proof from that size, in base64.
 * @param note the signed checkpoint.
 */
export async function addCheckpoint(
  url: string,
  { old, proof, note }: { readonly old: number; readonly proof: readonly string[]; readonly note: string },
  signal: AbortSignal,
): Promise<WitnessAnswer> {
  const body = `${[`old ${old}`, ...proof].join('\n')}\n\n${note}`;
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/add-checkpoint`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body,
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const text = await readText(response);
    if (response.status === 200)
      return { outcome: 'cosigned', lines: text.split('\n').filter((line) => line !== '') };
    const isSize = response.headers.get('content-type')?.startsWith(SIZE_TYPE) === true;
    if (response.status === 409 && isSize && /^(0|[1-9]\d{0,14})\n$/.test(text))
      return { outcome: 'conflict', size: Number(text) };
    return { outcome: 'failed', why: `it answered ${response.status}: ${text.trim().slice(0, 200)}` };
  } catch (error) {
    return { outcome: 'failed', why: messageOf(error) };
  }
}

/** @throws Error if the answer is too large */
async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error(`its answer has more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
