import { rmSync } from 'node:fs';
import { link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Permissions of a new file: its owner may read and write it. */
export const OWNER_ONLY = 0o600;

/** Age from which on a temporary file belongs to a process that was killed, in milliseconds. */
const LEFT_OVER_MS = 3_600_000;

let writes = 0;

/**
 * Writes a file atomically and durably: a reader sees the old content or the new content, whole, also after a power failure.
 * @throws Error if the file cannot be written; the old content is kept.
 */
export async function replaceFile(file: string, content: Uint8Array | string, mode?: number): Promise<void> {
  await write(file, content, mode, rename);
}

/**
 * Writes a new file atomically.
 * @throws Error with code `EEXIST` if the file exists, or another error if it cannot be written.
 */
export async function createFile(file: string, content: Uint8Array | string, mode?: number): Promise<void> {
  await write(file, content, mode, link);
}

async function write(
  file: string,
  content: Uint8Array | string,
  mode: number | undefined,
  publish: (from: string, to: string) => Promise<void>,
): Promise<void> {
  const temporary = `${file}.${process.pid}-${writes++}.new`;
  const remove = () => rmSync(temporary, { force: true });
  // Removes the temporary file if the process exits before the write ends, as after Ctrl-C.
  process.once('exit', remove);
  try {
    // A process that was killed may have left a file of this name: in a container every process has the same id.
    await rm(temporary, { force: true });
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await publish(temporary, file);
    await syncFolder(dirname(file));
    // The file is written, whether or not others can be removed: another process may remove them first.
    await removeLeftOvers(file).catch(() => undefined);
  } finally {
    await rm(temporary, { force: true });
    process.off('exit', remove);
  }
}

/** Removes temporary files that are much older than a file just written: their processes were killed. */
async function removeLeftOvers(file: string): Promise<void> {
  const folder = dirname(file);
  const { mtimeMs: writtenAt } = await stat(file);
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(file)}.`) || !/\.\d+-\d+\.new$/.test(name)) continue;
    const { mtimeMs } = await stat(join(folder, name));
    if (mtimeMs < writtenAt - LEFT_OVER_MS) await rm(join(folder, name), { force: true });
  }
}

/** Makes new names in a folder durable. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
