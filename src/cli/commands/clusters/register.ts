import { type Command, InvalidArgumentError, Option } from 'commander';
import { RecordedOut } from '../../../api/events.ts';
import { printsAnswer } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { recordedText } from '../../render/recorded-text.ts';
import { accountId, clusterId, instant } from '../../terminal/options.ts';

interface Options {
  readonly account: string;
  readonly name: string;
  readonly type?: string;
  readonly provider?: string;
  readonly region?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly billable?: string;
  readonly connection?: string;
  readonly at?: string;
}

export function addClustersRegister(parent: Command, cli: CliContext): void {
  const command = parent
    .command('register')
    .summary('register a cluster, or change its attributes')
    .description(
      'Registers a cluster, which is billed from then on. For a registered cluster, records what differs. The application that creates clusters normally does this.',
    )
    .argument('<id>', 'id of the cluster', clusterId)
    .requiredOption('--account <id>', 'account that is billed', accountId)
    .requiredOption('--name <name>', 'name of the cluster')
    .option('--type <type>', 'type of the cluster, such as workload')
    .option('--provider <name>', 'cloud provider')
    .option('--region <name>', 'region of the provider')
    .option('--label <key=value>', 'label; repeatable', label)
    .addOption(new Option('--billable <true|false>', 'whether it is billed').choices(['true', 'false']))
    .option('--connection <reference>', 'where the validator finds its credentials')
    .option('--at <instant>', 'when it exists, or the change takes effect (default: now)', instant)
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger clusters register c1 --account acme --name staging --label team=payments',
    );
  printsAnswer(command, cli, {
    request: ([id = ''], options: Options) => ({
      method: 'PUT',
      path: path`/v1/clusters/${id}`,
      body: {
        accountId: options.account,
        name: options.name,
        clusterType: options.type,
        cloudProvider: options.provider,
        region: options.region,
        labels: options.label,
        billable: options.billable === undefined ? undefined : options.billable === 'true',
        connection: options.connection,
        effectiveAt: options.at,
      },
    }),
    schema: RecordedOut,
    show: recordedText('registered'),
    isRead: false,
  });
}

function label(text: string, earlier: Readonly<Record<string, string>> = {}) {
  const at = text.indexOf('=');
  if (at <= 0) throw new InvalidArgumentError('It must be <key>=<value>, such as team=payments.');
  const key = text.slice(0, at);
  if (Object.hasOwn(earlier, key)) throw new InvalidArgumentError(`The label ${key} was given twice.`);
  return { ...earlier, [key]: text.slice(at + 1) };
}
