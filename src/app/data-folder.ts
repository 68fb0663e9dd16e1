import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Logger } from '../util/logger.ts';

/** Permission bits of users that are neither the owner nor in the group of a folder. */
const WORLD = 0o007;
const WORLD_WRITABLE = 0o002;
/** Only the owner of a file may remove or replace it: such as /tmp, and the folder of the image, which any user can run. */
const STICKY = 0o1000;

/**
 * Warns about folders of the ledger that every user of the machine can enter or change. The files in them are private, but their
 * names are not, and who may write to a folder can remove its files and put others in their places, unless it is sticky.
 */
export async function warnOfOpenFolders({ dataDir, store }: Config, log: Logger): Promise<void> {
  const folders = new Set([dataDir, ...(store.kind === 'sqlite' ? [dirname(store.file)] : [])]);
  for (const folder of folders) {
    const status = await stat(folder).catch(() => undefined);
    if (status === undefined || (status.mode & WORLD) === 0 || (status.mode & STICKY) !== 0) continue;
    const mode = (status.mode & 0o7777).toString(8).padStart(4, '0');
    log.warn(
      { folder, mode, do: `chmod 700 ${folder}` },
      (status.mode & WORLD_WRITABLE) === 0
        ? 'every user of this machine can look into the folder of the ledger'
        : 'every user of this machine can remove and replace files in the folder of the ledger',
    );
  }
}
