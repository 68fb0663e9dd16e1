import { renameSync } from 'node:fs';
import type { EventStore } from '../eventstore/event-store.ts';
import { readAcknowledged } from '../eventstore/sqlite/acknowledged.ts';
import { backUpFile } from '../eventstore/sqlite/back-up-file.ts';
import { canonicalPath, lockFile, statusOf } from '../eventstore/sqlite/database.ts';
import { SqliteStore } from '../eventstore/sqlite/sqlite-store.ts';
import { removeFiles, syncFolder } from '../eventstore/sqlite/store-files.ts';
import { LogStarts } from '../projections/log-starts.ts';
import type { Position } from '../util/log-numbers.ts';
import { type BackupSummary, FileExists, verifyBackup } from './back-up-store.ts';
import { type CopyOptions, copyStore } from './copy-store.ts';

export interface RestoreOptions extends Pick<CopyOptions, 'onProgress'> {
  /** Public keys in verifier form, as for a backup. */
  readonly keys?: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A restored store. */
export interface RestoreSummary extends BackupSummary {
  /** The epoch of positions that begins, and the last position that is the same in the epoch before. */
  readonly epoch: number;
  readonly epochFrom: Position;
  /** The file that was in the place of the restored one, under its new name. */
  readonly replaced?: string;
  /** Number of acknowledged events that the backup lacks, as far as the file beside the store says. */
  readonly missing: number;
}

/**
 * Puts a backup in the place of an embedded store that no ledger uses, after it was verified. A new epoch of positions begins,
 * so that consumers that have read more than the backup has are notified. The file `-acknowledged` is kept: it shows at the next
 * start which acknowledged events the backup lacks.
 * @param replace whether a file that is there may be replaced. It is kept under another name.
 * @throws FileExists if there is a file, and it may not be replaced. @throws UnsoundBackup
 * @throws StoreFailed if a ledger uses the file.
 */
export async function restoreFile(
  backup: string,
  to: string,
  { replace = false, ...options }: RestoreOptions & { readonly replace?: boolean },
): Promise<RestoreSummary> {
  const path = canonicalPath(to);
  const lock = lockFile(path);
  const partial = `${path}.restoring`;
  try {
    if (!replace) requireNoStore(path);
    removeFiles(partial);
    // The copy is verified, so that the backup can be in a folder that is only read.
    await backUpFile(backup, partial, options.onProgress);
    const verified = await verifyBackup(partial, options.keys);
    const epoch = await beginEpochIn(partial, options);
    const missing = missingIn(path, verified.size);
    const replaced = setAside(path);
    renameSync(partial, path);
    syncFolder(path);
    return { ...verified, file: path, ...epoch, missing, ...(replaced !== undefined && { replaced }) };
  } finally {
    removeFiles(partial);
    lock.close();
  }
}

/**
 * Copies a backup to an empty store that is not a file, and begins a new epoch.
 * @throws CopyRefused if the store is not empty. @throws UnsoundBackup, and the errors of the stores
 */
export async function restoreToStore(
  backup: string,
  to: EventStore,
  { keys, onProgress, now }: RestoreOptions,
): Promise<RestoreSummary> {
  const verified = await verifyBackup(backup, keys);
  const from = await SqliteStore.open(backup, { readOnly: true });
  try {
    await copyStore(from, to, { ...(onProgress !== undefined && { onProgress }) });
  } finally {
    await from.close();
    removeFiles(backup, ['.lock']);
  }
  return { ...verified, ...(await restored(to, now)), missing: 0 };
}

async function beginEpochIn(file: string, { now }: RestoreOptions) {
  const store = await SqliteStore.open(file);
  try {
    return await restored(store, now);
  } finally {
    await store.close();
  }
}

function restored(store: EventStore, now: () => number) {
  return new LogStarts(store, { recordingTime: now }).restored();
}

function requireNoStore(path: string): void {
  if ((statusOf(path)?.size ?? 0) === 0 && (statusOf(`${path}-wal`)?.size ?? 0) === 0) return;
  throw new FileExists(
    `${path} holds a ledger already: pass --replace to keep it under another name and put the backup in its place; nothing was changed`,
  );
}

function missingIn(path: string, size: number): number {
  const witness = readAcknowledged(path);
  return witness === undefined || witness === 'damaged' ? 0 : Math.max(0, witness.position - size);
}

/** Renames the file of a store with its write-ahead log. @returns its new name, `undefined` if there is none. */
function setAside(path: string): string | undefined {
  if (statusOf(path) === undefined && statusOf(`${path}-wal`) === undefined) return undefined;
  let name = '';
  for (let n = 1; name === '' || statusOf(name) !== undefined || statusOf(`${name}-wal`) !== undefined; n++)
    name = `${path}.replaced-${n}`;
  // The write-ahead log first: it belongs to no other file, and a file without it is recognized.
  for (const ending of ['-wal', '-shm', '-journal', ''])
    if (statusOf(`${path}${ending}`) !== undefined) renameSync(`${path}${ending}`, `${name}${ending}`);
  return name;
}
