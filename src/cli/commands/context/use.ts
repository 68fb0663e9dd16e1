import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { Contexts, findContext } from '../../client/contexts.ts';
import { printMessage } from '../../terminal/output.ts';

export function addContextUse(parent: Command, { environment }: CliContext): void {
  parent
    .command('use')
    .summary('make a saved context the current one')
    .description('Makes a saved context the one that commands use where no other is named.')
    .argument('<name>', 'what it is called')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger context use prod')
    .action(async (name: string) => {
      const contexts = new Contexts(environment.configDir);
      const saved = await contexts.read();
      findContext(saved.contexts, name);
      await contexts.write({ ...saved, current: name });
      printMessage(`context ${name} is the current one`);
    });
}
