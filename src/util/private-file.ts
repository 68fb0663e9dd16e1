import { existsSync, type Stats } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createFile, OWNER_ONLY } from './replace-file.ts';

/** Permission bits of the group and of other users. */
export const OTHERS = 0o077;
/** Permission bits of other users, and those with which the group can do more than read. */
const MORE_THAN_GROUP_READ = 0o037;

/**
 * Returns whether users without a right to a secret can use its file. The file may be readable by its owner only, or, if it
 * belongs to root and this process runs as another user, by its group too: Kubernetes mounts a Secret that way.
 *
 * @param self user id of this process.
 */
export function isOpenToOthers(
  { mode, uid }: Pick<Stats, 'mode' | 'uid'>,
  self = process.getuid?.(),
): boolean {
  const isOfRoot = uid === 0 && self !== 0;
  return (mode & (isOfRoot ? MORE_THAN_GROUP_READ : OTHERS)) !== 0;
}

/**
 * Writes a file that only its owner can read, and creates its folder. If the file exists, or another process creates it
 * meanwhile, nothing is written, so it may also be in a folder that is read-only.
 * @throws Error if the file cannot be written.
 */
export async function createPrivateFile(file: string, content: string): Promise<void> {
  if (existsSync(file)) return;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    await createFile(file, content, OWNER_ONLY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/**
 * Reads a file that only its owner can read. If the file is absent, creates it with the content.
 * @throws Error if the file cannot be read or created, or if other users can read it.
 */
export async function openPrivateFile(file: string, content: string): Promise<string> {
  await createPrivateFile(file, content);
  if (isOpenToOthers(await stat(file)))
    throw new Error('other users can read it. If no other user has read it, run chmod 600');
  return readFile(file, 'utf8');
}
