import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';

/**
 * Writes a file atomically: a reader gets the previous content or the new one, never a part. The new content is on the disk
 * (fsync) before it takes the name.
 * @param mode permissions of the file, less the umask.
 * @throws Error of `node:fs` if the file cannot be written; the previous content is unchanged.
 */
export async function replaceFile(file: string, content: string | Uint8Array, mode = 0o666): Promise<void> {
  const temporary = `${file}.${randomUUID()}.new`;
  // A signal that ends the process during the write must not leave the temporary file.
  const cleanUp = () => rmSync(temporary, { force: true });
  process.once('exit', cleanUp);
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    process.off('exit', cleanUp);
  }
}
