import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { usageError } from '../../terminal/cli-error.ts';
import { collect, withJson, withTarget } from '../../terminal/options.ts';
import type { VerifyOptions } from './verify-sources.ts';

export function addVerify(parent: Command, cli: CliContext): void {
  const command = parent
    .command('verify')
    .description(
      'Verifies an evidence file offline, without trusting the ledger. With --url or --context, verifies the whole published log of a ledger, and that the file omits nothing. With --store, verifies a store. Exits with 3 if a check fails.',
    )
    .argument('[file]', 'evidence file')
    .option(
      '--key <key|file>',
      'public key of the ledger, or a file with one per line; may be repeated',
      collect(),
    )
    .option('--checkpoint <file>', 'an older signed checkpoint that the log must continue')
    .option('--statements', 'recompute the statements of all closed periods (default with --store)')
    .option('--no-statements', 'do not recompute the statements')
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger verify acme-2026-03.json --key ledger.key --checkpoint checkpoint-2026-02\n  $ cluster-ledger verify --url https://ledger.example.com --key ledger.key --statements\n  $ cluster-ledger verify --store sqlite:/backup/ledger.db --key ledger.key',
    )
    .action(async (file: string | undefined, options: VerifyOptions) => {
      if (options.store !== undefined)
        return (await loadVerifier()).verifyLocalStore(cli, file, options, options.store);
      const isOnline = options.url !== undefined || options.context !== undefined;
      if (file === undefined && !isOnline)
        throw usageError('nothing to verify: pass an evidence file, --url, --context or --store');
      if (options.key === undefined)
        throw usageError(
          'no key given: pass --key with the public key of the ledger, from a source that you trust',
        );
      const { verifyFile: verifyTheFile, verifyPublishedLog: verifyTheLog } = await loadVerifier();
      return isOnline ? verifyTheLog(cli, file, options) : verifyTheFile(cli, file as string, options);
    });
  withJson(withTarget(command), 'print the result as JSON');
}

/** Imports the verifier on demand, so that other commands start faster. */
function loadVerifier() {
  return import('./verify-sources.ts');
}
