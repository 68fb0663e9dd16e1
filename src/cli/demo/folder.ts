import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lockFile } from '../../eventstore/sqlite/database.ts';

/** Name of the file that marks a folder as made by the demo, which may therefore empty it. */
export const MARKER = '.cluster-ledger-demo';
const MARKER_TEXT = 'This folder was made by `npm run demo`, which empties it at every start.\n';

/** The folder cannot be used. The message is printed as it is. */
export class FolderNotUsable extends Error {
  override readonly name = 'FolderRefused';
}

/**
 * Creates the folder of the demo, or empties the folder of an earlier demo.
 * @throws FolderNotUsable if the folder contains other files, or another demo uses it. Nothing is changed.
 */
export async function prepareFolder(folder: string, databaseFile: string): Promise<void> {
  const entries = await entriesOf(folder);
  if (entries.length > 0) {
    if (!entries.includes(MARKER)) {
      throw new FolderNotUsable(
        `${folder} was not made by the demo. Nothing in it was changed.\n` +
          'Move it away, or set LEDGER_DATA_DIR to another folder.',
      );
    }
    if (entries.includes(databaseFile)) requireUnused(folder, databaseFile);
    // The marker stays: a folder that is only half emptied still belongs to the demo.
    for (const entry of entries) {
      if (entry !== MARKER) await rm(join(folder, entry), { recursive: true });
    }
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, MARKER), MARKER_TEXT);
}

async function entriesOf(folder: string): Promise<string[]> {
  const status = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (status === undefined) return [];
  if (!status.isDirectory()) throw new FolderNotUsable(`${folder} is not a folder. It was not changed.`);
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
