import { Argument, type Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { completionScript } from './completion-script.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export function addCompletion(parent: Command, { out }: CliContext): void {
  parent
    .command('completion')
    .description('Prints a script that completes commands and options when you press Tab.')
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS))
    .addHelpText(
      'after',
      '\nExamples:\n  $ source <(cluster-ledger completion bash)\n  $ cluster-ledger completion zsh > ~/.zfunc/_cluster-ledger\n  $ cluster-ledger completion fish > ~/.config/fish/completions/cluster-ledger.fish',
    )
    .action((shell: (typeof SHELLS)[number]) => out.write(completionScript(shell, parent)));
}
