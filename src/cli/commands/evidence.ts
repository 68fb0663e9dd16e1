import type { Command } from 'commander';
import type { EvidenceFile } from '../../audit/verify/evidence-file.ts';
import { replaceFile } from '../../util/replace-file.ts';
import { type CliContext, withRunningLedger } from '../client/cli-context.ts';
import { path, readBody } from '../client/client.ts';
import { send } from '../client/requests.ts';
import type { TargetOptions } from '../client/target.ts';
import { CliError, EXIT } from '../terminal/cli-error.ts';
import { accountId, period, position, withServer } from '../terminal/options.ts';
import { printMessage } from '../terminal/output.ts';

interface Options extends TargetOptions {
  readonly output: string;
  readonly since?: string;
}

export function addEvidence(parent: Command, cli: CliContext): void {
  const command = parent
    .command('evidence')
    .summary('everything that a statement follows from, as one signed file')
    .description(
      'Writes one file with the statement of an account (or, where the period is not closed yet, its usage), every fact that it follows from, their proofs and a signed checkpoint. Anybody can verify it without the ledger.',
    )
    .argument('<account>', 'the id of an account', accountId)
    .argument('<period>', 'a UTC month, YYYY-MM', period)
    .requiredOption('-o, --output <file>', 'where to write it, - for the standard output')
    .option(
      '--since <size>',
      'size of an older checkpoint that the log is to be proved consistent with',
      position,
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger evidence acme 2026-03 -o acme-2026-03.json\n  $ cluster-ledger verify acme-2026-03.json --key ledger.key',
    )
    .action((account: string, month: string, { output, since, ...options }: Options) =>
      withRunningLedger(cli, options, async (client) => {
        const query = { period: month, since };
        const response = await send(client, { path: path`/v1/accounts/${account}/evidence`, query });
        const bytes = Buffer.from(await readBody(client, () => response.arrayBuffer()));
        const file = await parseEvidence(client.name, bytes);
        if (output === '-') await cli.out.write(bytes);
        else await writeEvidence(output, bytes);
        printMessage(describeEvidence(file, output === '-' ? undefined : output));
      }),
    );
  withServer(command);
}

async function writeEvidence(file: string, bytes: Uint8Array): Promise<void> {
  try {
    await replaceFile(file, bytes);
  } catch (error) {
    throw new CliError(EXIT.failed, `${file} cannot be written: ${(error as Error).message}`);
  }
}

async function parseEvidence(name: string, bytes: Uint8Array): Promise<EvidenceFile> {
  // Other commands start faster without it.
  const { readEvidenceFile } = await import('../../audit/verify/evidence-file.ts');
  try {
    return readEvidenceFile(bytes);
  } catch (error) {
    throw new CliError(EXIT.failed, `what ${name} answers is no evidence file: ${(error as Error).message}`);
  }
}

function describeEvidence({ evidence }: EvidenceFile, file: string | undefined): string {
  const { accountId, period, clusters, closings, checkpoint, origin, statement, usage } = evidence;
  const facts = clusters.reduce((sum, cluster) => sum + cluster.facts.length, 0);
  const size = checkpoint.split('\n')[1];
  const figure =
    usage !== undefined
      ? 'its usage so far'
      : statement === null
        ? 'that it has no statement'
        : 'its statement';
  return [
    `evidence of ${accountId} for ${period}${file === undefined ? '' : ` is in ${file}`}: ${figure}, ` +
      `${facts} facts of ${clusters.length} clusters, and ${closings.length} closings`,
    `proved by the checkpoint of ${size} events of ${origin}`,
    `verify it with: cluster-ledger verify ${file ?? 'FILE'} --key KEY`,
    'KEY is the key of the ledger, from where you trust it to be: cluster-ledger log key prints it',
  ].join('\n');
}
