import { linkSync, rmSync } from 'node:fs';
import { verifyStore } from '../audit/verify/verify-store.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import { backUpFile } from '../eventstore/sqlite/back-up-file.ts';
import { canonicalPath, statusOf } from '../eventstore/sqlite/database.ts';
import { SqliteStore } from '../eventstore/sqlite/sqlite-store.ts';
import { filesBeside, removeFiles, syncFolder } from '../eventstore/sqlite/store-files.ts';
import { copyStore } from './copy-store.ts';

/** The store that is backed up: the file of an embedded store, or any other store. */
export type BackupSource =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'store'; readonly store: EventStore };

export interface BackupOptions {
  /** Public keys in verifier form, the former ones too. Without any, only the root hashes of checkpoints are compared. */
  readonly keys?: readonly string[];
  readonly onProgress?: (done: number, total: number) => void;
}

/** A verified backup. */
export interface BackupSummary {
  readonly file: string;
  readonly bytes: number;
  /** Number of events in its log. */
  readonly size: number;
  /** Root hash of its log, in base64. */
  readonly root: string;
  /** Origin of its checkpoints; `null` if there is none. */
  readonly origin: string | null;
  /** Number of events that the newest signed checkpoint covers. */
  readonly signedSize: number;
}

/** There is a file already. It was not changed. */
export class FileExists extends Error {
  override readonly name = 'FileExists';
}

/** The backup, or the file that should be restored, is not what was signed. */
export class UnsoundBackup extends Error {
  override readonly name = 'UnsoundBackup';
}

/**
 * Backs up a store to a new file, also while a ledger writes to it. The backup is opened, its events are counted, and the root
 * hash of its log is compared with every signed checkpoint, before the file gets its name. So a file with this name is whole.
 * @throws FileExists, UnsoundBackup, and the errors of the stores
 */
export async function backUpStore(
  source: BackupSource,
  to: string,
  options: BackupOptions = {},
): Promise<BackupSummary> {
  const file = canonicalPath(to);
  requireAbsent(file);
  const partial = `${file}.partial`;
  const remove = () => removeFiles(partial);
  remove();
  try {
    if (source.kind === 'file') await backUpFile(source.file, partial, options.onProgress);
    else await copyToFile(source.store, partial, options);
    const summary = await verifyBackup(partial, options.keys);
    publish(partial, file);
    return { ...summary, file };
  } finally {
    remove();
  }
}

/**
 * Opens a backup and verifies it: the log has no gap, and its root hash is what was signed.
 * @throws UnsoundBackup if it is not what was signed. @throws StoreFailed if it is not a ledger.
 */
export async function verifyBackup(file: string, keys: readonly string[] = []): Promise<BackupSummary> {
  const store = await SqliteStore.open(file, { readOnly: true });
  try {
    if (store.loss !== undefined) throw new UnsoundBackup(store.loss.why);
    const verdict = await verifyStore(store, { keys, statements: false });
    if (!verdict.ok) throw new UnsoundBackup(verdict.why);
    const { size, root, origin = null, signedSize } = verdict.summary;
    return { file, bytes: statusOf(file)?.size ?? 0, size, root, origin, signedSize };
  } finally {
    await store.close();
    removeFiles(file, ['.lock']);
  }
}

/** Copies a store that is not a file, with the rows that it has now. */
async function copyToFile(from: EventStore, partial: string, { onProgress }: BackupOptions): Promise<void> {
  const whole = `${partial}-copy`;
  removeFiles(whole);
  try {
    const to = await SqliteStore.open(whole);
    try {
      await copyStore(from, to, { isSourceLive: true, ...(onProgress !== undefined && { onProgress }) });
    } finally {
      await to.close();
    }
    await backUpFile(whole, partial);
  } finally {
    removeFiles(whole);
  }
}

/** Gives a file its name, unless there is another one of that name. @throws FileExists */
function publish(partial: string, file: string): void {
  try {
    linkSync(partial, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new FileExists(existing(file));
  }
  rmSync(partial);
  syncFolder(file);
}

function requireAbsent(file: string): void {
  if ([file, ...filesBeside(file)].some((each) => statusOf(each) !== undefined))
    throw new FileExists(existing(file));
}

function existing(file: string): string {
  return `${file} exists, or a file that belongs to it: give the backup another name; nothing was changed`;
}
