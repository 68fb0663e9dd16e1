import type { Command } from 'commander';
import type { Cli } from '../../client/cli-context.ts';
import { Contexts, contextNamed } from '../../client/contexts.ts';
import { say } from '../../terminal/output.ts';

export function addContextUse(parent: Command, { environment }: Cli): void {
  parent
    .command('use')
    .summary('make a saved context the current one')
    .description('Makes a saved context the one that commands use where no other is named.')
    .argument('<name>', 'what it is called')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger context use prod')
    .action(async (name: string) => {
      const contexts = new Contexts(environment.configDir);
      const saved = await contexts.read();
      contextNamed(saved.contexts, name);
      await contexts.write({ ...saved, current: name });
      say(`context ${name} is the current one`);
    });
}
