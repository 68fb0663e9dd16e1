import { HASH_BYTES } from './leaf.ts';
import { strictBase64 } from './note-key.ts';

/** Commitment of a log: its tree of `size` leaves has the hash `root`. */
export interface Checkpoint {
  /** Name of the log: one line, not empty. */
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** The text is not a checkpoint. */
export class MalformedCheckpoint extends Error {
  override readonly name = 'MalformedCheckpoint';
}

/**
 * Returns the text of a checkpoint, which is then signed as a note (https://c2sp.org/tlog-checkpoint). Its lines are the origin,
 * the size in decimal, and the root hash in base64.
 * @throws MalformedCheckpoint if the parts are not valid.
 */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  const text = `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
  parseCheckpoint(text);
  return text;
}

/**
 * Parses the text of a checkpoint. Lines after the third are extensions and are ignored.
 * @param text text of a note whose signature was verified.
 * @throws MalformedCheckpoint
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, count, encoded, ...rest] = text.split('\n') as [string, string, string, ...string[]];
  if (rest.pop() !== '') throw new MalformedCheckpoint('a checkpoint must have at least three lines');
  if (origin === '' || rest.includes(''))
    throw new MalformedCheckpoint('a checkpoint must not have an empty line');
  const size = Number(count);
  if (!/^(0|[1-9]\d*)$/.test(count) || !Number.isSafeInteger(size))
    throw new MalformedCheckpoint(`${JSON.stringify(count)} is not a tree size`);
  const root = strictBase64(encoded);
  if (root?.length !== HASH_BYTES)
    throw new MalformedCheckpoint(`${JSON.stringify(encoded)} is not a SHA-256 hash in base64`);
  return { origin, size, root };
}
