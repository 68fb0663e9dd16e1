import { access, constants, mkdir } from 'node:fs/promises';
import { messageOf } from '../util/message-of.ts';

/** Creates the data folder if it is absent. @throws Error that says what to do if this user cannot write to the folder. */
export async function prepareDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const user = `user ${process.getuid?.()}, group ${process.getgid?.()}`;
    throw new Error(
      `the ledger runs as ${user} and cannot write to its data folder ${dataDir} (${messageOf(cause)}): give this user the right to write to the folder, or set LEDGER_DATA_DIR to another folder`,
      { cause },
    );
  }
}
