import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { Contexts, findContext } from '../../client/contexts.ts';
import { printMessage } from '../../terminal/output.ts';

export function addContextUse(parent: Command, { environment }: CliContext): void {
  parent
    .command('use')
    .summary('select the current context')
    .description('Selects the context that commands use if no other ledger is given.')
    .argument('<name>', 'name of the context')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger context use prod')
    .action(async (name: string) => {
      const contexts = new Contexts(environment.configDir);
      const saved = await contexts.read();
      findContext(saved.contexts, name);
      await contexts.write({ ...saved, current: name });
      printMessage(`${name} is the current context`);
    });
}
