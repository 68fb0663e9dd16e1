import type { Command } from 'commander';
import { VoidPreviewOut } from '../../../api/corrections.ts';
import { RecordedOut } from '../../../api/events.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { type Client, path } from '../../client/client.ts';
import { eventIdOf, eventReference } from '../../client/event-reference.ts';
import { fetchJson, printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { changesOf, showChanges } from '../../render/account-changes.ts';
import { recordedText } from '../../render/recorded-text.ts';
import { confirm } from '../../terminal/confirm.ts';
import { withJson, withServer } from '../../terminal/options.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function addEventsVoid(parent: Command, cli: CliContext): void {
  const command = parent
    .command('void')
    .summary('void a fact that was wrong')
    .description(
      'Voids a fact: the bill is computed as if it had never been recorded. The fact stays in the log. A void cannot be undone; post the right fact again under a new id. Closed periods are adjusted.',
    )
    .argument('<event>', 'event id of the fact, or its position', eventReference)
    .requiredOption('--reason <text>', 'why the fact is wrong, for those who read the bill')
    .option('--dry-run', 'show which figures would change; write nothing')
    .option('-y, --yes', 'do not ask for confirmation')
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger events void 1806 --reason "the wrong cluster was deleted" --dry-run\n  $ cluster-ledger events void 7c2c6e5e-0d51-5b5a-9c1f-2f7b3f6a1c55 --reason "posted by mistake" --yes',
    )
    .action((reference: string, options: Options) =>
      withRunningLedger(cli, options, async (client) =>
        voidEvent(client, cli, await eventIdOf(client, reference), options),
      ),
    );
  withJson(withServer(command));
}

async function voidEvent(client: Client, cli: CliContext, id: string, options: Options): Promise<void> {
  const request = (dryRun: boolean) =>
    ({
      method: 'POST',
      path: path`/v1/events/${id}/void`,
      body: { reason: options.reason, dryRun },
    }) as const;
  if (options.dryRun === true)
    return printAnswer(client, cli.out, options, request(true), VoidPreviewOut, async (preview) => {
      await cli.out.details([
        ['would void', preview.fact.type],
        ['event id', preview.eventId],
        ['cluster', preview.clusterId],
        ['effective at', preview.fact.effectiveAt],
      ]);
      await showChanges(cli.out, preview.accounts);
    });
  const question = async () => {
    const { fact, clusterId, accounts } = await fetchJson(client, request(true), VoidPreviewOut);
    return `${fact.type} of cluster ${clusterId}, effective at ${fact.effectiveAt}, would no longer count. ${changesOf(accounts)} Void it?`;
  };
  if (!(await confirm(options, question))) return;
  await printAnswer(client, cli.out, options, request(false), RecordedOut, (recorded) =>
    recordedText('voided a fact of')(cli.out, recorded),
  );
}
