import type { Command } from 'commander';
import { retireOldKeys, rotateKey } from '../../../audit/key-file.ts';
import { defaultKeyFile } from '../../../audit/key-location.ts';
import { LogKeyError, type LogKeys } from '../../../audit/log-keys.ts';
import { readConfig } from '../../../config/config.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { readBody } from '../../client/client.ts';
import { send } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { CliError, EXIT, usageError } from '../../terminal/cli-error.ts';
import { confirm } from '../../terminal/confirm.ts';
import { readInput } from '../../terminal/input.ts';
import { withServer } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';
import { asUsageError } from '../config/effective-settings.ts';

interface Options {
  readonly file?: string;
  readonly yes?: boolean;
}

export function addLogKeyRotate(parent: Command, cli: CliContext): void {
  const command = parent
    .command('rotate')
    .summary('add a new signing key')
    .description(
      'Adds a new key to the key file, as its first line. From the next start of the ledger, both keys sign, so that verifiers may know either. End the change with: log key retire.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger log key rotate --file /var/lib/cluster-ledger/log-key',
    );
  addKeyChange(command, cli, {
    question: (file) => `Add a new key to ${file}?`,
    change: rotateKey,
    done: 'next: restart the ledger, which then signs with both keys; give the first line to everybody who verifies; then run log key retire',
  });
}

export function addLogKeyRetire(parent: Command, cli: CliContext): void {
  const command = parent
    .command('retire')
    .summary('remove the old signing key')
    .description(
      'Deletes the old private key from the key file. From the next start of the ledger, only the first key signs. The old public key stays, so that old signatures stay valid. The command refuses until the running ledger has signed a checkpoint with both keys: a verifier that knows only the old key needs it. Run it only after every verifier has the new key.',
    )
    .option(
      '--checkpoint <file>',
      'a checkpoint that both keys signed (default: the newest one of the running ledger)',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger log key retire --file /var/lib/cluster-ledger/log-key',
    );
  addKeyChange(withServer(command), cli, {
    question: (file) => `Delete the old private key from ${file}? This cannot be undone.`,
    change: async (file, options: RetireOptions) =>
      retireOldKeys(file, await checkpointSignedBefore(cli, options)),
    done: 'next: restart the ledger, which then signs with the first key only',
  });
}

/** Returns the checkpoint that proves to holders of the old key how the log goes on. @throws CliError if there is none */
async function checkpointSignedBefore(cli: CliContext, options: RetireOptions): Promise<string> {
  if (options.checkpoint !== undefined) return readInput(options.checkpoint);
  let note = '';
  await withRunningLedger(cli, options, async (client) => {
    const answer = await send(client, { path: '/log/checkpoint', accept: 'text/plain' });
    note = await readBody(client, () => answer.text());
  });
  return note;
}

interface RetireOptions extends Options, TargetOptions {
  readonly checkpoint?: string;
}

interface KeyChange<O> {
  readonly question: (file: string) => string;
  readonly change: (file: string, options: O) => Promise<LogKeys>;
  readonly done: string;
}

function addKeyChange<O extends Options>(
  command: Command,
  { out }: CliContext,
  { question, change, done }: KeyChange<O>,
): void {
  command
    .option('--file <file>', 'the key file (default: the one that the settings here configure)')
    .option('-y, --yes', 'do not ask for confirmation')
    .action(async (options: O) => {
      const file = options.file ?? configuredFile();
      if (!(await confirm(options, async () => question(file)))) return;
      try {
        const { verifiers } = await change(file, options);
        await out.write(verifiers.map((verifier) => `${verifier}\n`).join(''));
      } catch (error) {
        if (error instanceof LogKeyError) throw new CliError(EXIT.failed, error.message);
        throw error;
      }
      printMessage(done);
    });
}

/** Returns the key file of the settings. @throws CliError if the settings are not valid, or contain the keys. */
function configuredFile(): string {
  try {
    const { audit, dataDir } = readConfig();
    if (audit.key !== undefined)
      throw usageError('the keys of this ledger are in its settings, not in a file: change them there');
    return audit.keyFile ?? defaultKeyFile(dataDir);
  } catch (error) {
    throw asUsageError(error);
  }
}
