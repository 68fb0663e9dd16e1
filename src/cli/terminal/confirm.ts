import { EXIT, usageError } from './cli-error.ts';
import { askYesNo, isInteractive, printMessage } from './output.ts';

/**
 * Asks on the terminal before a command that cannot be undone, unless `--yes` was given.
 * @returns whether to go on.
 * @throws CliError if stdin is not a terminal.
 */
export async function confirm(
  { yes = false }: { readonly yes?: boolean },
  question: () => Promise<string>,
): Promise<boolean> {
  if (yes) return true;
  if (!isInteractive())
    throw usageError('refusing to run without confirmation: stdin is not a terminal; pass --yes');
  if (await askYesNo(await question())) return true;
  printMessage('canceled; nothing was changed');
  process.exitCode = EXIT.failed;
  return false;
}
