import { readFile } from 'node:fs/promises';
import { messageOf } from '../util/message-of.ts';
import { OWNER_ONLY, replaceFile } from '../util/replace-file.ts';
import { parseCheckpoint } from './checkpoint-text.ts';
import { isDamage } from './log-identity.ts';
import type { TreeHead } from './log-tree.ts';
import { openNote, UnknownSigners } from './note.ts';
import type { NoteVerifier } from './note-key.ts';

/** The checkpoint in a file outside of the store. */
export interface FiledCheckpoint extends TreeHead {
  /** Whether a known key has signed it. If not, it can be neither trusted nor refuted. */
  readonly isTrusted: boolean;
}

/**
 * Keeps the newest signed checkpoint in a file outside of the store. A checkpoint covers all events before it, so one is enough,
 * and the file never grows. A
 * change of the store while the ledger is stopped is found unless this file is changed too, which takes the key.
 */
export class CheckpointFile {
  readonly path: string;
  #size = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Number of events that the file covers, as far as this process has read or written it. */
  get size(): number {
    return this.#size;
  }

  /**
   * Reads the checkpoint.
   * @param known keys whose signatures are valid.
   * @returns `undefined` if there is no file, an error if it is damaged.
   * @throws Error if the file cannot be read.
   */
  async read(known: readonly NoteVerifier[]): Promise<FiledCheckpoint | Error | undefined> {
    try {
      const note = await readFile(this.path, 'utf8');
      const { isTrusted, text } = verified(note, known);
      const { size, root } = parseCheckpoint(text);
      return { size, root, isTrusted };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      if (isDamage(error)) return error;
      throw new Error(
        `the checkpoint outside of the store, ${this.path}, cannot be read: ${messageOf(error)}`,
        {
          cause: error,
        },
      );
    }
  }

  /** Replaces the checkpoint, and resolves once it is on the disk. @throws Error if the file cannot be written */
  async write({ note, size }: { readonly note: string; readonly size: number }): Promise<void> {
    await replaceFile(this.path, note, OWNER_ONLY);
    this.#size = size;
  }
}

/** @throws MalformedNote, UntrustedNote if the signature of a known key is not valid */
function verified(note: string, known: readonly NoteVerifier[]): { text: string; isTrusted: boolean } {
  try {
    return { text: openNote(note, known).text, isTrusted: true };
  } catch (error) {
    if (!(error instanceof UnknownSigners)) throw error;
    return { text: note.slice(0, note.lastIndexOf('\n\n') + 1), isTrusted: false };
  }
}
