import { type Command, InvalidArgumentError } from 'commander';
import { KeyOut } from '../../../api/keys.ts';
import { KeyId } from '../../../domain/access/access-key.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { fetchJson, printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { confirm } from '../../terminal/confirm.ts';
import { withJson, withServer } from '../../terminal/options.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly reason?: string;
  readonly yes?: boolean;
}

export function addKeysRevoke(parent: Command, cli: CliContext): void {
  const command = parent
    .command('revoke')
    .summary('revoke an API key, permanently')
    .description(
      'Revokes an API key. It is refused at once, and by other replicas within 30 seconds. This cannot be undone; revoking a key again changes nothing.',
    )
    .argument('<id>', 'id of the key: its part between clk_ and the secret', keyId)
    .option('--reason <text>', 'why, for auditors')
    .option('-y, --yes', 'do not ask for confirmation')
    .addHelpText(
      'after',
      '\nExample:\n  $ cluster-ledger keys revoke 4x0c1k7t2p9q --reason "was in a repository" --yes',
    )
    .action((id: string, options: Options) =>
      withRunningLedger(cli, options, async (client) => {
        const known = () => fetchJson(client, { path: path`/v1/keys/${id}` }, KeyOut);
        const question = async () => `Revoke key ${id} of ${(await known()).name} permanently?`;
        if (!(await confirm(options, question))) return;
        const { reason } = options;
        const request = { method: 'POST', path: path`/v1/keys/${id}/revoke`, body: { reason } } as const;
        await printAnswer(client, cli.out, options, request, KeyOut, (key) =>
          cli.out.details([
            ['key', key.id],
            ['name', key.name],
            ['role', key.role],
            ['state', key.state],
            ['revoked at', key.revokedAt],
            ['revoked by', key.revokedBy],
            ['reason', key.revocationReason],
          ]),
        );
      }),
    );
  withJson(withServer(command));
}

function keyId(text: string): string {
  const parsed = KeyId.safeParse(text);
  if (parsed.success) return text;
  // The text may be a whole key, so it is not repeated.
  throw new InvalidArgumentError('It must be the id of a key, 12 of a-z 0-9, without its secret.');
}
