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
import { plural } from '../terminal/text.ts';

interface Options extends TargetOptions {
  readonly output: string;
  readonly since?: string;
}

export function addEvidence(parent: Command, cli: CliContext): void {
  const command = parent
    .command('evidence')
    .description(
      'Writes one file with the statement of an account (or its usage, if the period is not closed yet), all the facts behind it, their proofs and a signed checkpoint. Anybody can verify the file without the ledger.',
    )
    .argument('<account>', 'id of the account', accountId)
    .argument('<period>', 'UTC month, YYYY-MM', period)
    .requiredOption('-o, --output <file>', 'file to write, - for stdout')
    .option(
      '--since <size>',
      'size of an older checkpoint; the file then proves that the log continues it',
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
    throw new CliError(EXIT.failed, `cannot write ${file}: ${(error as Error).message}`);
  }
}

async function parseEvidence(name: string, bytes: Uint8Array): Promise<EvidenceFile> {
  // Imported here so that other commands start faster.
  const { readEvidenceFile } = await import('../../audit/verify/evidence-file.ts');
  try {
    return readEvidenceFile(bytes);
  } catch (error) {
    throw new CliError(
      EXIT.failed,
      `the response from ${name} is not an evidence file: ${(error as Error).message}`,
    );
  }
}

function describeEvidence({ evidence }: EvidenceFile, file: string | undefined): string {
  const { accountId, period, clusters, closings, checkpoint, origin, statement, usage } = evidence;
  const facts = clusters.reduce((sum, cluster) => sum + cluster.facts.length, 0);
  const size = checkpoint.split('\n')[1];
  const figure =
    usage !== undefined ? 'usage so far' : statement === null ? 'proof of no statement' : 'statement';
  return [
    `evidence of ${accountId} for ${period}${file === undefined ? '' : ` written to ${file}`}: ${figure}, ` +
      `${plural(facts, 'fact')} of ${plural(clusters.length, 'cluster')}, ${plural(closings.length, 'closing')}`,
    `proved by a signed checkpoint of ${size} events of ${origin}`,
    `verify it with: cluster-ledger verify ${file ?? 'FILE'} --key KEY`,
    'KEY is the public key of the ledger; get it from a source you trust, or with: cluster-ledger log key',
  ].join('\n');
}
