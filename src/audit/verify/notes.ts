import { type Checkpoint, MalformedCheckpoint, parseCheckpoint } from '../checkpoint-text.ts';
import { MalformedNote, type OpenedNote, openNote, UnknownSigners, UntrustedNote } from '../note.ts';
import { MalformedKey, NoteVerifier } from '../note-key.ts';
import { type Check, Refuted } from './outcome.ts';

/** Parses keys in verifier form. @throws Refuted if there are none, or one is malformed. */
export function readKeys(keys: readonly string[], check: Check = 'signature'): NoteVerifier[] {
  if (keys.length === 0) throw new Refuted(check, 'no key was given to verify signatures with');
  return keys.map((key) => {
    try {
      return NoteVerifier.parse(key.trim());
    } catch (error) {
      if (!(error instanceof MalformedKey)) throw error;
      throw new Refuted(check, `the key ${JSON.stringify(key)} is none: ${error.message}`);
    }
  });
}

/** Reads a note that at least one of the keys has signed. @param name of the note in a sentence. @throws Refuted */
export function openSigned(
  name: string,
  note: string,
  keys: readonly NoteVerifier[],
  check: Check = 'signature',
): OpenedNote {
  try {
    return openNote(note, keys);
  } catch (error) {
    if (!(error instanceof MalformedNote || error instanceof UntrustedNote)) throw error;
    throw new Refuted(check, `${name} is not signed by a key that was given: ${error.message}`);
  }
}

/** Whether any of the keys has signed a note, or is said to: former keys are not known to everybody. */
export function isSignedByAny(note: string, keys: readonly NoteVerifier[]): boolean {
  try {
    openNote(note, keys);
    return true;
  } catch (error) {
    return !(error instanceof UnknownSigners);
  }
}

/** Reads a signed checkpoint of a log. @param origin of the log; by default any. @throws Refuted */
export function openCheckpoint(
  name: string,
  note: string,
  keys: readonly NoteVerifier[],
  origin?: string,
  check: Check = 'signature',
): Checkpoint {
  const { text } = openSigned(name, note, keys, check);
  try {
    const checkpoint = parseCheckpoint(text);
    if (origin === undefined || checkpoint.origin === origin) return checkpoint;
    throw new Refuted(check, `${name} is of the log ${checkpoint.origin}, not of ${origin}`);
  } catch (error) {
    if (!(error instanceof MalformedCheckpoint)) throw error;
    throw new Refuted(check, `${name} is not a checkpoint: ${error.message}`);
  }
}
