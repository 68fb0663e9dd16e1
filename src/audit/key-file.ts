import { readFile, stat } from 'node:fs/promises';
import { createPrivateFile, isOpenToOthers } from '../util/private-file.ts';
import { OWNER_ONLY, replaceFile } from '../util/replace-file.ts';
import { LogKeyError, LogKeys } from './log-keys.ts';
import { MalformedNote, openNote, UntrustedNote } from './note.ts';
import { hexOf, type NoteVerifier } from './note-key.ts';

/** Reads the keys in a file. @throws LogKeyError if the file is absent, has no keys, or can be read by other users. */
export async function readKeyFile(file: string): Promise<LogKeys> {
  const keys = await keysIn(file);
  if (keys === undefined) throw new LogKeyError(`the key file ${file} does not exist`);
  return keys;
}

/**
 * Reads the keys in a file. If the file is absent, creates it with a new key that only its owner can read.
 * @param name name of a new key.
 * @throws LogKeyError as `readKeyFile` does, or if the file cannot be created.
 */
export async function openKeyFile(file: string, name: string): Promise<LogKeys> {
  const existing = await keysIn(file);
  if (existing !== undefined) return existing;
  try {
    await createPrivateFile(file, LogKeys.generate(name).text);
  } catch (cause) {
    throw new LogKeyError(`the key file ${file} cannot be created: ${(cause as Error).message}`, { cause });
  }
  return readKeyFile(file);
}

/**
 * Begins a rotation: adds a new current key to the file. The old key signs too. The ledger reads the file at its next start.
 * @throws LogKeyError if a rotation is in progress, and as `readKeyFile` does.
 */
export async function rotateKey(file: string): Promise<LogKeys> {
  return replace(file, (await readKeyFile(file)).rotated());
}

/**
 * Ends a rotation: from the next start only the current key signs. The public keys of the others stay in the file, so that
 * their signatures stay valid.
 * @param note a checkpoint that all keys have signed. Who knows only the old key can verify it, and the log from there on.
 * @throws LogKeyError if no rotation is in progress, a key has not signed the checkpoint, and as `readKeyFile` does.
 */
export async function retireOldKeys(file: string, note: string): Promise<LogKeys> {
  const keys = await readKeyFile(file);
  const retired = keys.retired();
  requireSignatures(note, keys);
  return replace(file, retired);
}

function requireSignatures(note: string, { signers }: LogKeys): void {
  const missing = signers.filter(({ verifier }) => !isSignedBy(note, verifier));
  if (missing.length === 0) return;
  const names = missing.map(({ verifier }) => `${verifier.name}+${hexOf(verifier.keyId)}`).join(' and ');
  throw new LogKeyError(
    `the checkpoint is not signed by ${names}. A verifier that knows only the old key could not verify the log any more, so nothing was ` +
      'changed. Restart the ledger with both keys, wait until it is ready, and try again.',
  );
}

function isSignedBy(note: string, key: NoteVerifier): boolean {
  try {
    return openNote(note, [key]).signedBy.length === 1;
  } catch (error) {
    if (error instanceof UntrustedNote || error instanceof MalformedNote) return false;
    throw error;
  }
}

async function keysIn(file: string): Promise<LogKeys | undefined> {
  try {
    const stats = await stat(file);
    if (isOpenToOthers(stats)) {
      const permissions = (stats.mode & 0o777).toString(8).padStart(4, '0');
      throw new LogKeyError(
        `other users can read the key file ${file} (mode ${permissions}), and a user who has read it can sign as the log. ` +
          'If no other user has read it, run chmod 600; otherwise rotate the key.',
      );
    }
    return LogKeys.parse(await readFile(file, 'utf8'), `the key file ${file}`);
  } catch (cause) {
    if (cause instanceof LogKeyError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new LogKeyError(`the key file ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

async function replace(file: string, keys: LogKeys): Promise<LogKeys> {
  await replaceFile(file, keys.text, OWNER_ONLY);
  return keys;
}
