import type { Command } from 'commander';
import type { z } from 'zod';
import { TransferPreviewOut } from '../../../api/corrections.ts';
import { RecordedOut } from '../../../api/events.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { type Client, path } from '../../client/client.ts';
import { fetchJson, printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { changesOf, showChanges } from '../../render/account-changes.ts';
import { confirm } from '../../terminal/confirm.ts';
import { accountId, clusterId, instant, withJson, withServer } from '../../terminal/options.ts';
import type { Output } from '../../terminal/output.ts';

type Preview = z.output<typeof TransferPreviewOut>;

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly to: string;
  readonly at?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function addClustersTransfer(parent: Command, cli: CliContext): void {
  const command = parent
    .command('transfer')
    .summary('transfer a cluster to another account')
    .description(
      'Transfers a cluster: its present account is billed until that time, the new account from then on. Closed periods are adjusted.',
    )
    .argument('<id>', 'id of the cluster', clusterId)
    .requiredOption('--to <account>', 'the new account', accountId)
    .option('--at <instant>', 'when the new account takes over (default: now)', instant)
    .option('--dry-run', 'show what each account would be credited and charged; write nothing')
    .option('-y, --yes', 'do not ask for confirmation')
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger clusters transfer c1 --to globex --at 2026-03-01T00:00:00Z --dry-run\n  $ cluster-ledger clusters transfer c1 --to globex --yes',
    )
    .action((id: string, options: Options) =>
      withRunningLedger(cli, options, (client) => transfer(client, cli, id, options)),
    );
  withJson(withServer(command));
}

async function transfer(client: Client, cli: CliContext, id: string, options: Options): Promise<void> {
  const request = (isDryRun: boolean) => requestFor(id, options, isDryRun);
  if (options.dryRun === true)
    return printAnswer(client, cli.out, options, request(true), TransferPreviewOut, (preview) =>
      showPreview(cli.out, preview),
    );
  const question = async () => {
    const preview = await fetchJson(client, request(true), TransferPreviewOut);
    return `${sentenceOf(preview)} Transfer it?`;
  };
  if (!(await confirm(options, question))) return;
  await printAnswer(client, cli.out, options, request(false), RecordedOut, (recorded) =>
    cli.out.details([
      ['transferred', id],
      ['to account', options.to],
      ['event id', recorded.eventId],
      ['position', recorded.position],
    ]),
  );
}

function requestFor(id: string, { to, at }: Options, isDryRun: boolean) {
  const body = { accountId: to, effectiveAt: at, dryRun: isDryRun };
  return { method: 'POST', path: path`/v1/clusters/${id}/transfers`, body } as const;
}

function sentenceOf({ clusterId: id, accountId: to, effectiveAt, accounts }: Preview): string {
  return `Cluster ${id} would belong to ${to} from ${effectiveAt}. ${changesOf(accounts)}`;
}

async function showPreview(out: Output, { clusterId: id, accountId: to, effectiveAt, accounts }: Preview) {
  await out.details([
    ['would transfer', id],
    ['to account', to],
    ['from', effectiveAt],
  ]);
  await showChanges(out, accounts);
}
