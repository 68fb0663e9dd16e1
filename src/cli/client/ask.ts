import type { Command } from 'commander';
import type { z } from 'zod';
import { withJson, withListFormats, withServer, withTarget } from '../terminal/options.ts';
import { type Output, printMessage } from '../terminal/output.ts';
import type { Column } from '../terminal/table.ts';
import { type CliContext, withLedger, withRunningLedger } from './cli-context.ts';
import type { Client, Request } from './client.ts';
import { printList } from './pagination.ts';
import { printAnswer } from './requests.ts';
import type { TargetOptions } from './target.ts';

type Options = TargetOptions & { readonly json?: boolean };

/** A request that a command sends, and how its answer is shown. */
interface Question<T extends z.ZodType, O> {
  /** @param args the arguments of the command. */
  readonly request: (args: readonly string[], options: O, client: Client) => Request | Promise<Request>;
  readonly schema: T;
  readonly show: (out: Output, answer: z.output<T>) => Promise<void>;
  /** Whether the command only reads, so that it also works on a store. */
  readonly isRead: boolean;
}

/** Makes a command send one request and print the answer. */
export function printsAnswer<T extends z.ZodType, O extends object = object>(
  command: Command,
  cli: CliContext,
  { request, schema, show, isRead }: Question<T, O>,
): void {
  const connected = isRead ? withLedger : withRunningLedger;
  command.action(() => {
    const options = command.opts<O & Options>();
    return connected(cli, options, async (client) => {
      const asked = await request(command.processedArgs as string[], options, client);
      await printAnswer(client, cli.out, options, asked, schema, (answer) => show(cli.out, answer));
    });
  });
  withJson(isRead ? withTarget(command) : withServer(command));
}

/** A list that a command prints. */
interface List<T extends z.ZodType> {
  readonly request: (args: readonly string[]) => Request;
  readonly item: T;
  readonly columns: readonly Column<z.output<T>>[];
  /** Name of one item of the list: `fact`, `rejected event`. */
  readonly noun: string;
  /** Whether the list is the state of a running process, which a store does not have. */
  readonly needsServer?: boolean;
}

/** Makes a command print a list, page by page. */
export function printsList<T extends z.ZodType>(
  command: Command,
  cli: CliContext,
  { request, item, columns, noun, needsServer = false }: List<T>,
): void {
  const connected = needsServer ? withRunningLedger : withLedger;
  command.action(() => {
    const options = command.opts<Options>();
    return connected(cli, options, async (client) => {
      const asked = request(command.processedArgs as string[]);
      const count = await printList(client, cli.out, options, asked, item, columns);
      if (count === 0) printMessage(`no ${noun}s found`);
    });
  });
  const targeted = needsServer ? withServer(command) : withTarget(command);
  withListFormats(targeted, `print one ${noun} per line as JSON (NDJSON)`);
}
