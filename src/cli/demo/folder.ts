import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lockFile } from '../../eventstore/sqlite/database.ts';

/** Marks a folder as one that the demo made, and may therefore empty. */
export const MARKER = '.cluster-ledger-demo';
const MARKER_TEXT = 'This folder was made by `npm run demo`, which empties it at every start.\n';

/** The folder cannot be used; its message is for people. */
export class FolderNotUsable extends Error {
  override readonly name = 'FolderRefused';
}

/**
 * Makes a fresh folder for the demo, or empties the one that an earlier demo made.
 * @throws FolderRefused where it holds something else, or another demo uses it: nothing was changed.
 */
export async function prepareFolder(folder: string, databaseFile: string): Promise<void> {
  const entries = await entriesOf(folder);
  if (entries.length > 0) {
    if (!entries.includes(MARKER)) {
      throw new FolderNotUsable(
        `${folder} was not made by the demo, so it was left as it is.\n` +
          'Move it away, or set LEDGER_DATA_DIR to another folder.',
      );
    }
    if (entries.includes(databaseFile)) requireUnused(folder, databaseFile);
    // The marker goes last: a folder emptied by half is still ours.
    for (const entry of entries) {
      if (entry !== MARKER) await rm(join(folder, entry), { recursive: true });
    }
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, MARKER), MARKER_TEXT);
}

async function entriesOf(folder: string): Promise<string[]> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return [];
  if (!found.isDirectory()) throw new FolderNotUsable(`${folder} is no folder; it was left as it is.`);
  return readdir(folder);
}

function requireUnused(folder: string, databaseFile: string): void {
  try {
    lockFile(join(folder, databaseFile)).close();
  } catch (error) {
    throw new FolderNotUsable(
      `${folder} is in use: is another demo running? Stop it, or set LEDGER_DATA_DIR to another folder.`,
      { cause: error },
    );
  }
}
