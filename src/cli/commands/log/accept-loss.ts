import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { LossAcceptanceOut } from '../../../api/losses.ts';
import { ReadinessOut } from '../../../api/operations.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { type Client, readBody } from '../../client/client.ts';
import { fetchJson, parseAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { CliError, EXIT } from '../../terminal/cli-error.ts';
import { confirm } from '../../terminal/confirm.ts';
import { withServer } from '../../terminal/options.ts';

interface Options extends TargetOptions {
  readonly reason: string;
  readonly yes?: boolean;
}

/** Maximum time that the ledger takes to open its store again. */
const REOPEN_MS = 60_000;
const POLL_MS = 100;

export function addLogAcceptLoss(parent: Command, cli: CliContext): void {
  const command = parent
    .command('accept-loss')
    .summary('go on without acknowledged events that are lost')
    .description(
      'Accepts that events that were acknowledged are lost, which ends the alert log-behind: the ledger takes facts again. First restore the newest backup of the store together with its -wal file; if that has the events, there is no loss. The decision is recorded in the log with its reason, and consumers of the feed that have read lost events get `epoch-changed`.',
    )
    .requiredOption('--reason <text>', 'why the events cannot be restored, for auditors')
    .option('-y, --yes', 'do not ask for confirmation')
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger log accept-loss --reason "the disk is broken; the backup of 02:00 is the newest"',
    )
    .action(({ reason, ...options }: Options) =>
      withRunningLedger(cli, options, async (client) => {
        const question = async () => `${(await logCheck(client))?.detail ?? ''}\nGo on without these events?`;
        if (!(await confirm(options, question))) return;
        const request = { method: 'POST', path: '/v1/log/accept-loss', body: { reason } } as const;
        const { why } = await fetchJson(client, request, LossAcceptanceOut);
        await reopened(client);
        await cli.out.line(`recorded; the ledger takes facts again, without: ${why}`);
      }),
    );
  withServer(command);
}

/** Waits until the ledger has opened its store again. @throws CliError if it does not. */
async function reopened(client: Client): Promise<void> {
  const deadline = performance.now() + REOPEN_MS;
  while (performance.now() < deadline) {
    await wait(POLL_MS);
    const check = await logCheck(client).catch((error: unknown) => {
      if (error instanceof CliError) return undefined;
      throw error;
    });
    if (check?.ok === true) return;
  }
  throw new CliError(EXIT.failed, 'the ledger has not opened its store again: see its log');
}

async function logCheck(client: Client): Promise<ReadinessOut['checks']['log']> {
  const response = await client.send({ path: '/readyz' });
  const text = await readBody(client, () => response.text());
  return parseAnswer(client, text, ReadinessOut).checks.log;
}
