import { HASH_BYTES } from './leaf.ts';
import { strictBase64 } from './note-key.ts';

/** What a log commits itself to: that its tree of `size` leaves has the hash `root`. */
export interface Checkpoint {
  /** Which log it is: one line, not empty. */
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** The text is no checkpoint. */
export class MalformedCheckpoint extends Error {
  override readonly name = 'MalformedCheckpoint';
}

/**
 * The text of a checkpoint, to be signed as a note (https://c2sp.org/tlog-checkpoint): the origin, the size in decimal, and
 * the root hash in base64, a line each.
 * @throws MalformedCheckpoint where the parts make none.
 */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  const text = `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
  parseCheckpoint(text);
  return text;
}

/**
 * Reads the text of a checkpoint; lines after the third are extensions, which mean nothing here.
 * @param text that of a note whose signature was verified.
 * @throws MalformedCheckpoint
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', count = '', encoded = '', ...rest] = text.split('\n');
  if (rest.pop() !== '') throw new MalformedCheckpoint('a checkpoint is at least three lines');
  if (origin === '' || rest.includes('')) throw new MalformedCheckpoint('a checkpoint has no empty line');
  const size = Number(count);
  if (!/^(0|[1-9]\d*)$/.test(count) || !Number.isSafeInteger(size))
    throw new MalformedCheckpoint(`${JSON.stringify(count)} is no tree size`);
  const root = strictBase64(encoded);
  if (root?.length !== HASH_BYTES)
    throw new MalformedCheckpoint(`${JSON.stringify(encoded)} is no hash in base64`);
  return { origin, size, root };
}
