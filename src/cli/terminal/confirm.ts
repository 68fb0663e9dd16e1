import { EXIT, usageError } from './cli-error.ts';
import { askYesNo, isInteractive, printMessage } from './output.ts';

/**
 * Whether to do what cannot be undone: where it was not said beforehand, whoever is at the terminal is asked.
 * @throws CliError if nobody is there to be asked.
 */
export async function confirm(
  { yes = false }: { readonly yes?: boolean },
  question: () => Promise<string>,
): Promise<boolean> {
  if (yes) return true;
  if (!isInteractive())
    throw usageError('this cannot be undone, and nobody is there to be asked: give --yes');
  if (await askYesNo(await question())) return true;
  printMessage('nothing was done');
  process.exitCode = EXIT.failed;
  return false;
}
