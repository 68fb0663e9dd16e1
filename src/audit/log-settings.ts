import { join } from 'node:path';
import { z } from 'zod';
import { openKeyFile, readKeyFile } from './key-file.ts';
import { LogKeys } from './log-keys.ts';
import { isKeyName } from './note-key.ts';

/** How the log is signed. */
export const LogSettings = z
  .strictObject({
    /** Which log it is, for ever. Default `cluster-ledger.local/<ledger id>`. */
    origin: z
      .string()
      .refine(isKeyName, 'must be the name of a log, such as ledger.example.com/main, without spaces and +')
      .optional(),
    /** The keys themselves, with white space between them: see `LogKeys`. */
    key: z.string().min(1, 'must be the keys of the log').optional(),
    /** A file with the keys. Default `log-key` in the data folder, which is made at the first start. */
    keyFile: z.string().min(1, 'must be a file').optional(),
    /** Id of the current key, where it follows on keys that are lost. */
    acceptKey: z
      .string()
      .regex(/^[0-9a-f]{8}$/, 'must be the id of a key, 8 hexadecimal digits')
      .optional(),
    /** While events arrive, a checkpoint is signed at least so often. */
    checkpointSeconds: z
      .int()
      .min(1, 'must be at least 1 second')
      .max(86_400, 'must be at most 86400 seconds, a day')
      .default(3_600),
    /**
     * Height of the lowest nodes of the tree that are kept in memory: 64 / 2^n bytes per event. Above 0 a proof reads a part of
     * the log again, and evidence of a large account many.
     */
    treeMinHeightInMemory: z.int().min(0, 'must be from 0 to 8').max(8, 'must be from 0 to 8').default(0),
  })
  .refine(({ key, keyFile }) => key === undefined || keyFile === undefined, {
    path: ['key'],
    error: 'must not be given together with keyFile',
  });
export type LogSettings = z.output<typeof LogSettings>;

/** Where a ledger keeps the key that it made for itself. */
export function ownKeyFile(dataDir: string): string {
  return join(dataDir, 'log-key');
}

/** The keys that the settings name, or those in the data folder, made where there are none. @throws LogKeyError */
export function keysOf(
  { key, keyFile }: Pick<LogSettings, 'key' | 'keyFile'>,
  dataDir: string,
): (origin: string) => Promise<LogKeys> {
  if (key !== undefined) return async () => LogKeys.parse(key, 'the key of the log');
  if (keyFile !== undefined) return () => readKeyFile(keyFile);
  return (origin) => openKeyFile(ownKeyFile(dataDir), origin);
}
