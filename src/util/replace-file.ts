import { rmSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { CliError, EXIT } from '../cli/terminal/cli-error.ts';

/**
 * Writes a file: whoever reads it finds what was there before or the new one, whole.
 * @throws Failure where it cannot be written; what was there before is left.
 */
export async function replaceFile(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.${process.pid}.new`;
  // Also where the program is ended.
  const cleanUp = () => rmSync(temporary, { force: true });
  process.once('exit', cleanUp);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new CliError(EXIT.failed, `${file} cannot be written: ${(error as Error).message}`);
  } finally {
    process.off('exit', cleanUp);
  }
}
