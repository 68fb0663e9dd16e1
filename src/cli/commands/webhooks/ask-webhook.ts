import type { Command } from 'commander';
import type { z } from 'zod';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import type { Request } from '../../client/client.ts';
import { printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { webhookId, withJson, withServer } from '../../terminal/options.ts';
import type { Output } from '../../terminal/output.ts';

/** The request of a command about one webhook, and how its answer is shown. */
interface Question<T extends z.ZodType> {
  readonly request: (id: string) => Request;
  readonly schema: T;
  readonly show: (out: Output, answer: z.output<T>) => Promise<void>;
}

/** Makes a command send one request about the webhook that its argument names, and print the answer. */
export function askWebhook<T extends z.ZodType>(
  command: Command,
  cli: CliContext,
  { request, schema, show }: Question<T>,
): void {
  command
    .argument('<id>', 'id of the webhook', webhookId)
    .action((id: string, options: TargetOptions & { readonly json?: boolean }) =>
      withRunningLedger(cli, options, (client) =>
        printAnswer(client, cli.out, options, request(id), schema, (answer) => show(cli.out, answer)),
      ),
    );
  withJson(withServer(command));
}
