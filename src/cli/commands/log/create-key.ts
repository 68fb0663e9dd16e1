import type { Command } from 'commander';
import { LogKeyError, LogKeys } from '../../../audit/log-keys.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { usageError } from '../../terminal/cli-error.ts';
import { printMessage } from '../../terminal/output.ts';

/** Adds `log key create`, which needs neither a ledger nor a store. */
export function addLogKeyCreate(parent: Command, { out }: CliContext): void {
  parent
    .command('create')
    .summary('print a new signing key')
    .argument('<origin>', 'the name of the log, as in the setting audit.origin')
    .description(
      'Prints a new private key for a log that does not exist yet. Give the same key to all replicas, as a file (LEDGER_AUDIT_KEY_FILE) that only the ledger can read, and set LEDGER_AUDIT_ORIGIN to the same name.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ umask 077; cluster-ledger log key create ledger.example.com/log > log-key',
    )
    .action(async (origin: string) => {
      const keys = generate(origin);
      await out.write(keys.text);
      printMessage(`the public key is ${keys.current}`);
    });
}

function generate(origin: string): LogKeys {
  try {
    return LogKeys.generate(origin);
  } catch (error) {
    if (error instanceof LogKeyError) throw usageError(`<origin>: ${error.message}`);
    throw error;
  }
}
