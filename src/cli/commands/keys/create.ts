import { type Command, InvalidArgumentError, Option } from 'commander';
import { NewKeyOut } from '../../../api/keys.ts';
import { MAX_KEY_DAYS } from '../../../domain/access/access-key.ts';
import { ROLES, type Role } from '../../../domain/access/caller.ts';
import { DAY_MS, formatInstant } from '../../../domain/time.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { fetchJson } from '../../client/requests.ts';
import { type TargetOptions, targetOf } from '../../client/target.ts';
import { usageError } from '../../terminal/cli-error.ts';
import { accountId, withJson, withTarget } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly name: string;
  readonly role: Role;
  readonly account?: string;
  readonly days: number;
}

export function addKeysCreate(parent: Command, cli: CliContext): void {
  const command = parent
    .command('create')
    .summary('create an API key')
    .description(
      'Creates an API key and prints it. It cannot be shown again. With --store, creates it in a store that no ledger uses, such as the first key before the first start.',
    )
    .requiredOption('--name <name>', 'who uses the key')
    .addOption(
      new Option('--role <role>', 'what the key may do; see docs/access.md')
        .choices(ROLES)
        .makeOptionMandatory(),
    )
    .option('--account <id>', 'account of a customer', accountId)
    .addOption(
      new Option('--days <count>', 'days until the key expires').argParser(days).default(MAX_KEY_DAYS),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger keys create --role operator --name Ada --store sqlite:data/ledger.db\n  $ cluster-ledger keys create --role billing --name "billing service" --days 90',
    )
    .action(async (options: Options) => {
      const { role, account } = options;
      if ((role === 'customer') !== (account !== undefined))
        throw usageError(
          role === 'customer'
            ? 'a customer is bound to an account: pass --account'
            : `--account is for the role customer only; the role is ${role}`,
        );
      const created = await create(cli, options);
      if (options.json) return cli.out.json(created);
      const { id, name, key, expiresAt } = created;
      const bound = account === undefined ? '' : ` of account ${account}`;
      printMessage(`key ${id} for ${name} (${role}${bound}), until ${expiresAt}; it is shown only once:`);
      return cli.out.line(key);
    });
  withJson(withTarget(command), 'print the key and its fields as JSON');
}

async function create(cli: CliContext, options: Options): Promise<NewKeyOut> {
  const { name, role, account } = options;
  const expiresAt = Date.now() + options.days * DAY_MS;
  const key = { name, role, ...(account !== undefined && { accountId: account }) };
  const target = await targetOf(options, cli.environment);
  if (target.kind === 'store') {
    const { createKeyIn } = await import('../../client/store-keys.ts');
    return createKeyIn(target, { ...key, expiresAt });
  }
  let created: NewKeyOut | undefined;
  await withRunningLedger(cli, options, async (client) => {
    // The latest expiry is a default of the ledger, whose clock may differ from that of this machine.
    const expiry = options.days === MAX_KEY_DAYS ? {} : { expiresAt: formatInstant(expiresAt) };
    const request = { method: 'POST', path: '/v1/keys', body: { ...key, ...expiry } } as const;
    created = await fetchJson(client, request, NewKeyOut);
  });
  return created as NewKeyOut;
}

function days(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= MAX_KEY_DAYS) return Number(text);
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_KEY_DAYS}.`);
}
