import type { Command } from 'commander';
import type { z } from 'zod';
import { StatementList, StatementOut } from '../../../api/statements.ts';
import { type CliContext, withLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { showStatements } from '../../render/statement-tables.ts';
import { accountId, period, withAsOf, withCsv, withJson, withTarget } from '../../terminal/options.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly asOf?: string;
}

export function addPeriodStatements(parent: Command, cli: CliContext): void {
  const command = parent
    .command('statements')
    .summary('show the statements of a closed period')
    .description('Shows the statements of a closed period: of all accounts, or of one.')
    .argument('<period>', 'UTC month, YYYY-MM', period)
    .argument('[account]', 'id of an account (default: all accounts)', accountId)
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger period statements 2026-03\n  $ cluster-ledger period statements 2026-03 acme --json',
    )
    .action((month: string, account: string | undefined, options: Options) =>
      withLedger(cli, options, (client) => {
        const query = { asOf: options.asOf };
        if (account === undefined) {
          const request = { path: path`/v1/periods/${month}/statements`, query };
          return printAnswer(client, cli.out, options, request, StatementList, (answer) =>
            show(cli, answer, answer.items),
          );
        }
        const request = { path: path`/v1/periods/${month}/statements/${account}`, query };
        return printAnswer(client, cli.out, options, request, StatementOut, (answer) =>
          show(cli, answer, [answer]),
        );
      }),
    );
  withCsv(withJson(withTarget(withAsOf(command))));
}

async function show(
  { out }: CliContext,
  head: { readonly period: string; readonly watermark: string; readonly closedAt?: string | undefined },
  statements: readonly z.output<typeof StatementOut>[],
): Promise<void> {
  await out.details([
    ['period', head.period],
    ['closed at', head.closedAt],
    ['watermark', head.watermark],
  ]);
  await out.line();
  await showStatements(out, statements);
}
