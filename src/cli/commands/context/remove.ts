import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { Contexts, findContext } from '../../client/contexts.ts';
import { printMessage } from '../../terminal/output.ts';

export function addContextRemove(parent: Command, { environment }: CliContext): void {
  parent
    .command('remove')
    .summary('delete a saved context')
    .description('Deletes a saved context and its token.')
    .argument('<name>', 'name of the context')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger context remove prod')
    .action(async (name: string) => {
      const contexts = new Contexts(environment.configDir);
      const saved = await contexts.read();
      findContext(saved.contexts, name);
      const others = Object.entries(saved.contexts).filter(([other]) => other !== name);
      const current = saved.current === name ? null : saved.current;
      await contexts.write({ current, contexts: Object.fromEntries(others) });
      printMessage(`context ${name} deleted`);
    });
}
