import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { usageError } from '../../terminal/cli-error.ts';
import { collect, withJson, withTarget } from '../../terminal/options.ts';
import type { VerifyOptions } from './verify-sources.ts';

export function addVerify(parent: Command, cli: CliContext): void {
  const command = parent
    .command('verify')
    .summary('check an evidence file, a whole log or a store, without trusting the ledger')
    .description(
      'Checks an evidence file offline; with --url (or --context) the whole published log of a ledger, and that it has nothing which the file lacks; with --store a store. Exits with 3 where something does not hold, and says what.',
    )
    .argument('[file]', 'an evidence file')
    .option(
      '--key <key|file>',
      'a key of the ledger in verifier form, or a file of them; may be repeated',
      collect(),
    )
    .option('--checkpoint <file>', 'a signed checkpoint kept from before, to compare with')
    .option(
      '--statements',
      'work out the statements of all closed periods again; with --store that is the default',
    )
    .option('--no-statements', 'do not')
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger verify acme-2026-03.json --key ledger.key --checkpoint checkpoint-2026-02\n  $ cluster-ledger verify --url https://ledger.example.com --key ledger.key --statements\n  $ cluster-ledger verify --store sqlite:/backup/ledger.db --key ledger.key',
    )
    .action(async (file: string | undefined, options: VerifyOptions) => {
      if (options.store !== undefined)
        return (await loadVerifier()).verifyLocalStore(cli, file, options, options.store);
      const isOnline = options.url !== undefined || options.context !== undefined;
      if (file === undefined && !isOnline)
        throw usageError('say what to verify: an evidence file, --url, --context or --store');
      if (options.key === undefined)
        throw usageError('say which key to trust: --key, from anywhere but the ledger itself');
      const { verifyFile: verifyTheFile, verifyPublishedLog: verifyTheLog } = await loadVerifier();
      return isOnline ? verifyTheLog(cli, file, options) : verifyTheFile(cli, file as string, options);
    });
  withJson(withTarget(command), 'print the result as JSON');
}

/** Other commands start faster without it. */
function loadVerifier() {
  return import('./verify-sources.ts');
}
