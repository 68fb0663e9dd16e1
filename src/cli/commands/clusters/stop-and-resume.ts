import { type Command, Option } from 'commander';
import { RecordedOut } from '../../../api/events.ts';
import { CAUSES } from '../../../domain/facts/fact.ts';
import { printsAnswer } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { recordedText } from '../../render/recorded-text.ts';
import { clusterId, instant } from '../../terminal/options.ts';

interface Options {
  readonly cause?: string;
  readonly reason?: string;
  readonly at?: string;
}

export function addClustersStop(parent: Command, cli: CliContext): void {
  const command = parent
    .command('stop')
    .summary('stop the billing of a cluster')
    .description(
      'Stops the billing of a cluster until it is resumed for the same cause. The cluster itself is not touched.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger clusters stop c1 --reason "goodwill during the incident" --at 2026-03-01T00:00:00Z',
    );
  correct(command, cli, (id) => path`/v1/clusters/${id}/billing-stops`, 'billing stopped');
}

export function addClustersResume(parent: Command, cli: CliContext): void {
  const command = parent
    .command('resume')
    .summary('resume the billing of a cluster')
    .description('Ends a stop of billing for one cause. A stop for another cause goes on.')
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger clusters resume c1 --reason "the incident is over"',
    );
  correct(command, cli, (id) => path`/v1/clusters/${id}/billing-resumptions`, 'billing resumed');
}

function correct(command: Command, cli: CliContext, resource: (id: string) => string, did: string): void {
  command
    .argument('<id>', 'id of the cluster', clusterId)
    .addOption(new Option('--cause <cause>', 'what stops the billing (default: manual)').choices(CAUSES))
    .option('--reason <text>', 'why, for those who read the bill')
    .option('--at <instant>', 'when it takes effect (default: now)', instant);
  printsAnswer(command, cli, {
    request: ([id = ''], { cause, reason, at }: Options) => ({
      method: 'POST',
      path: resource(id),
      body: { cause, reason, effectiveAt: at },
    }),
    schema: RecordedOut,
    show: recordedText(did),
    isRead: false,
  });
}
