import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addLogAcceptLoss } from './accept-loss.ts';
import { addLogCheckpoint } from './checkpoint.ts';
import { addLogKey } from './key.ts';
import { addLogConsistency, addLogProof } from './proof.ts';

/** Adds `log` and its subcommands. */
export function addLog(parent: Command, cli: CliContext): void {
  const group = parent
    .command('log')
    .description(
      'Prints the keys and checkpoints of the signed log, changes its keys, and accepts a loss of events.',
    );
  for (const add of [addLogKey, addLogCheckpoint, addLogProof, addLogConsistency, addLogAcceptLoss])
    add(group, cli);
}
