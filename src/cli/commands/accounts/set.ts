import { type Command, InvalidArgumentError } from 'commander';
import { AccountOut } from '../../../api/accounts.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { accountDetails } from '../../render/account-text.ts';
import { usageError } from '../../terminal/cli-error.ts';
import { accountId, withJson, withServer } from '../../terminal/options.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly name?: string;
  readonly externalId?: Readonly<Record<string, string>>;
  readonly limit?: Readonly<Record<string, number>>;
}

export function addAccountsSet(parent: Command, cli: CliContext): void {
  const command = parent
    .command('set')
    .summary('set the profile of an account')
    .description(
      'Sets the profile of an account. It replaces the whole profile: what is not given is removed. A profile has no effect on billing.',
    )
    .argument('<account>', 'id of the account', accountId)
    .option('--name <name>', 'name of the customer')
    .option('--external-id <system=id>', 'id of the account in another system; repeatable', externalId)
    .option('--limit <type=count>', 'clusters of a type that the plan allows, * for all; repeatable', limit)
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger accounts set acme --name "Acme Inc." --external-id stripe=cus_42 --limit vcluster=10',
    )
    .action((account: string, { name, externalId: externalIds, limit: limits, ...options }: Options) =>
      withRunningLedger(cli, options, (client) => {
        if (name === undefined && externalIds === undefined && limits === undefined)
          throw usageError('the profile would be empty: give --name, --external-id or --limit');
        const body = { name, externalIds, limits };
        const request = { method: 'PUT', path: path`/v1/accounts/${account}`, body } as const;
        return printAnswer(client, cli.out, options, request, AccountOut, (answer) =>
          cli.out.details(accountDetails(answer)),
        );
      }),
    );
  withJson(withServer(command));
}

function externalId(text: string, earlier: Readonly<Record<string, string>> = {}) {
  const [system, id] = pairOf(text, 'It must be <system>=<id>, such as stripe=cus_42.');
  if (Object.hasOwn(earlier, system)) throw new InvalidArgumentError(`The system ${system} was given twice.`);
  return { ...earlier, [system]: id };
}

function limit(text: string, earlier: Readonly<Record<string, number>> = {}) {
  const message = 'It must be <type>=<count>, such as vcluster=10 or *=25.';
  const [type, count] = pairOf(text, message);
  if (Object.hasOwn(earlier, type)) throw new InvalidArgumentError(`The type ${type} was given twice.`);
  if (!/^\d{1,7}$/.test(count)) throw new InvalidArgumentError(message);
  return { ...earlier, [type]: Number(count) };
}

function pairOf(text: string, message: string): [key: string, value: string] {
  const at = text.indexOf('=');
  if (at <= 0 || at === text.length - 1) throw new InvalidArgumentError(message);
  return [text.slice(0, at), text.slice(at + 1)];
}
