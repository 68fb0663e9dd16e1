import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { witnessFile } from './acknowledged.ts';

/** Endings of the files that SQLite and the ledger keep beside the file of a store, without the witness. */
const ENDINGS = ['-wal', '-shm', '-journal', '.lock'] as const;

/** Returns the files that may be beside the file of a store. */
export function filesBeside(path: string): string[] {
  return [...ENDINGS.map((ending) => `${path}${ending}`), witnessFile(path)];
}

/** Removes the file of a store that nobody uses, with all files beside it, or only those with the given endings. */
export function removeFiles(path: string, endings?: readonly (typeof ENDINGS)[number][]): void {
  const files = endings?.map((ending) => `${path}${ending}`) ?? [path, ...filesBeside(path)];
  for (const file of files) rmSync(file, { force: true });
}

/** Writes the names in the folder of a file to the disk. */
export function syncFolder(file: string): void {
  const fd = openSync(dirname(file), 'r');
  fsyncSync(fd);
  closeSync(fd);
}
