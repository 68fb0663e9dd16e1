import { type Command, Option } from 'commander';
import { AlertOut } from '../../../api/alerts.ts';
import { ALERT_KINDS, ALERT_STATES, SEVERITIES } from '../../../domain/alert.ts';
import { type CliContext, withLedger } from '../../client/cli-context.ts';
import { printList } from '../../client/pagination.ts';
import type { TargetOptions } from '../../client/target.ts';
import { ALERT_COLUMNS } from '../../render/alert-table.ts';
import { withListFormats, withTarget } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly state?: string;
  readonly kind?: string;
  readonly severity?: string;
}

export function addAlertsList(parent: Command, cli: CliContext): void {
  const command = parent
    .command('list')
    .summary('list alerts')
    .description('Lists alerts, the latest raised first.')
    .addOption(
      new Option('--state <state>', `only alerts in this state: ${ALERT_STATES.join(', ')}`).choices(
        ALERT_STATES,
      ),
    )
    .addOption(
      new Option('--kind <kind>', 'only alerts of this kind, such as validator-stale').choices(ALERT_KINDS),
    )
    .addOption(
      new Option('--severity <severity>', `only alerts of this severity: ${SEVERITIES.join(', ')}`).choices(
        SEVERITIES,
      ),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger alerts list --state open\n  $ cluster-ledger alerts list --severity critical --json',
    )
    .action(({ state, kind, severity, ...options }: Options) =>
      withLedger(cli, options, async (client) => {
        const request = { path: '/v1/alerts', query: { state, kind, severity } };
        const count = await printList(client, cli.out, options, request, AlertOut, ALERT_COLUMNS);
        if (count === 0) printMessage('no alerts found');
      }),
    );
  withListFormats(withTarget(command), 'print one alert per line as JSON (NDJSON)');
}
