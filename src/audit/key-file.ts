import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createFile, OWNER_ONLY, replaceFile } from '../util/replace-file.ts';
import { LogKeyError, LogKeys } from './log-keys.ts';

const OTHERS = 0o077;

/** Reads the keys in a file. @throws LogKeyError where it is not there, holds none, or others may read it */
export async function readKeyFile(file: string): Promise<LogKeys> {
  const keys = await keysIn(file);
  if (keys === undefined) throw new LogKeyError(`there is no key file ${file}`);
  return keys;
}

/**
 * Reads the keys in a file; where it is absent, makes it, with a new key that only the owner may read.
 * @param name of a new key.
 * @throws LogKeyError as `readKeyFile` does, and where the file cannot be made.
 */
export async function openKeyFile(file: string, name: string): Promise<LogKeys> {
  const there = await keysIn(file);
  if (there !== undefined) return there;
  const made = LogKeys.generate(name);
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await createFile(file, made.text, OWNER_ONLY);
  } catch (cause) {
    // Somebody else made it a moment ago.
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return readKeyFile(file);
    throw new LogKeyError(`the key file ${file} cannot be made: ${(cause as Error).message}`, { cause });
  }
  return made;
}

/**
 * Begins a rotation: a new key comes first in the file, and the old one still signs beside it. The ledger takes it up at its
 * next start.
 * @throws LogKeyError while a rotation is under way, and as `readKeyFile` does.
 */
export async function rotateKey(file: string): Promise<LogKeys> {
  return replace(file, (await readKeyFile(file)).rotated());
}

/**
 * Ends a rotation: only the first key signs from the next start on; of the others their public lines stay in the file, so
 * that what they signed stays good.
 * @throws LogKeyError where no rotation is under way, and as `readKeyFile` does.
 */
export async function retireOldKeys(file: string): Promise<LogKeys> {
  return replace(file, (await readKeyFile(file)).retired());
}

async function keysIn(file: string): Promise<LogKeys | undefined> {
  try {
    const { mode } = await stat(file);
    if ((mode & OTHERS) !== 0) {
      const given = (mode & 0o777).toString(8).padStart(4, '0');
      throw new LogKeyError(
        `the key file ${file} may be read by others (mode ${given}): whoever read it can sign in the name of the log. ` +
          'If nobody has, chmod 600; else rotate the key.',
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
