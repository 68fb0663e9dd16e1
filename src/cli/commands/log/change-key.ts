import type { Command } from 'commander';
import { retireOldKeys, rotateKey } from '../../../audit/key-file.ts';
import { defaultKeyFile } from '../../../audit/key-location.ts';
import { LogKeyError, type LogKeys } from '../../../audit/log-keys.ts';
import { readConfig } from '../../../config/config.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { CliError, EXIT, usageError } from '../../terminal/cli-error.ts';
import { confirm } from '../../terminal/confirm.ts';
import { printMessage } from '../../terminal/output.ts';
import { asUsageError } from '../config/effective-settings.ts';

interface Options {
  readonly file?: string;
  readonly yes?: boolean;
}

export function addLogKeyRotate(parent: Command, cli: CliContext): void {
  const command = parent
    .command('rotate')
    .summary('begin to change the key of the log')
    .description(
      'Puts a new key first into the key file; the old one signs beside it until it is retired, so that readers may know either. The ledger takes it up at its next start.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger log key rotate --file /var/lib/cluster-ledger/log-key',
    );
  addKeyChange(command, cli, {
    question: (file) => `Put a new key into ${file}?`,
    change: rotateKey,
    done: 'the new key, the first line, signs from the next start of the ledger on, and the old one too: give both to those who verify, and retire the old one once they have it',
  });
}

export function addLogKeyRetire(parent: Command, cli: CliContext): void {
  const command = parent
    .command('retire')
    .summary('end the change of the key of the log')
    .description(
      'Leaves only the first key of the key file to sign, from the next start of the ledger on. The old one is destroyed; its public line stays, so that what it signed stays good.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger log key retire --file /var/lib/cluster-ledger/log-key',
    );
  addKeyChange(command, cli, {
    question: (file) => `Destroy the old private key in ${file}?`,
    change: retireOldKeys,
    done: 'only the first key signs from the next start of the ledger on',
  });
}

interface KeyChange {
  readonly question: (file: string) => string;
  readonly change: (file: string) => Promise<LogKeys>;
  readonly done: string;
}

function addKeyChange(command: Command, { out }: CliContext, { question, change, done }: KeyChange): void {
  command
    .option('--file <file>', 'the key file, by default that of the ledger which the settings here configure')
    .option('-y, --yes', 'do not ask')
    .action(async (options: Options) => {
      const file = options.file ?? configuredFile();
      if (!(await confirm(options, async () => question(file)))) return;
      try {
        const { verifiers } = await change(file);
        await out.write(verifiers.map((verifier) => `${verifier}\n`).join(''));
      } catch (error) {
        if (error instanceof LogKeyError) throw new CliError(EXIT.failed, error.message);
        throw error;
      }
      printMessage(done);
    });
}

/** @throws CliError if the settings are wrong, or hold the keys themselves. */
function configuredFile(): string {
  try {
    const { audit, dataDir } = readConfig();
    if (audit.key !== undefined)
      throw usageError('the keys of this ledger are in its settings, in no file: change them there');
    return audit.keyFile ?? defaultKeyFile(dataDir);
  } catch (error) {
    throw asUsageError(error);
  }
}
