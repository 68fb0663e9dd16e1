import { Argument, type Command } from 'commander';
import type { Cli } from '../../client/cli-context.ts';
import { scriptFor } from './completion-script.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export function addCompletion(parent: Command, { out }: Cli): void {
  parent
    .command('completion')
    .summary('a script that completes commands in your shell')
    .description('Prints a script that completes commands and options with the tab key.')
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS))
    .addHelpText(
      'after',
      '\nExamples:\n  $ source <(cluster-ledger completion bash)\n  $ cluster-ledger completion zsh > ~/.zfunc/_cluster-ledger\n  $ cluster-ledger completion fish > ~/.config/fish/completions/cluster-ledger.fish',
    )
    .action((shell: (typeof SHELLS)[number]) => out.write(scriptFor(shell, parent)));
}
