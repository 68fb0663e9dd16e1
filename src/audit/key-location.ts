import { join } from 'node:path';
import { openKeyFile, readKeyFile } from './key-file.ts';
import { LogKeys } from './log-keys.ts';

/** Location of the keys that sign the log: their text, or a file. With neither, the file in the data folder. */
export interface KeyLocation {
  readonly key?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** Returns the file of the key that a ledger generates at its first start. */
export function defaultKeyFile(dataDir: string): string {
  return join(dataDir, 'log-key');
}

/**
 * Returns a function that reads the keys of a log. If no location is set, it creates the file in the data folder with a new
 * key, named after the origin.
 * The function rejects with `LogKeyError` if the keys cannot be used.
 */
export function keysOf({ key, keyFile }: KeyLocation, dataDir: string): (origin: string) => Promise<LogKeys> {
  if (key !== undefined) return async () => LogKeys.parse(key, 'the key of the log');
  if (keyFile !== undefined) return () => readKeyFile(keyFile);
  return (origin) => openKeyFile(defaultKeyFile(dataDir), origin);
}
