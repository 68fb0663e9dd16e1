import { EXIT, wrongUsage } from './cli-error.ts';
import { ask, isInteractive, say } from './output.ts';

/**
 * Whether to do what cannot be undone: where it was not said beforehand, whoever is at the terminal is asked.
 * @throws Failure where nobody is there to be asked.
 */
export async function confirmed(
  { yes = false }: { readonly yes?: boolean },
  question: () => Promise<string>,
): Promise<boolean> {
  if (yes) return true;
  if (!isInteractive())
    throw wrongUsage('this cannot be undone, and nobody is there to be asked: give --yes');
  if (await ask(await question())) return true;
  say('nothing was done');
  process.exitCode = EXIT.failed;
  return false;
}
