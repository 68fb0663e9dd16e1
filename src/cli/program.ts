import { Command } from 'commander';
import type { CliContext } from './client/cli-context.ts';
import { COMMAND_TABLE, type TableEntry } from './command-table.ts';
import { chosenFormat } from './terminal/formats.ts';
import { printError } from './terminal/output.ts';

/**
 * Builds the program with all its commands.
 * @param version of this release.
 * @param args the command line that the program will run: of the commands that it does not name, only the line in the help is
 * there, and their modules are not loaded. Without it, every command is loaded.
 */
export async function buildProgram(
  cli: CliContext,
  version: string,
  args?: readonly string[],
): Promise<Command> {
  const program = new Command('cluster-ledger')
    .description('Decides what customers are charged for their Kubernetes clusters, and proves it.')
    .version(version, '--version', 'print the version')
    .exitOverride()
    .enablePositionalOptions()
    .configureOutput({ outputError: (text) => printError(text.replace(/^error: /, '').trimEnd()) })
    .addHelpText('after', AFTER_HELP);

  for (const { heading, commands } of COMMAND_TABLE) {
    program.commandsGroup(heading);
    for (const entry of commands) await addCommand(program, cli, entry, args);
  }

  program.hook('preAction', (_, command) => {
    cli.out.format = chosenFormat(command);
  });
  addErrorHints(program);
  refuseRepetitions(program);
  return program;
}

async function addCommand(
  program: Command,
  cli: CliContext,
  { usage, summary, load }: TableEntry,
  args: readonly string[] | undefined,
): Promise<void> {
  // Commander shows the words after the name in the help. As the command is not run, they need not be its real arguments.
  if (isNamed(usage, args)) (await load())(program, cli);
  else program.command(usage);
  program.commands.at(-1)?.summary(summary);
}

/** Returns whether a command line may run a command, or show its help. The script of `completion` has every command. */
function isNamed(usage: string, args: readonly string[] | undefined): boolean {
  const [name = ''] = usage.split(' ');
  return args === undefined || args.includes(name) || args.includes('completion');
}

const AFTER_HELP = `
Which ledger? The first of: --url, --context or --store; LEDGER_URL; LEDGER_CONTEXT; the current context;
http://127.0.0.1:8400.

Output: tables for people; -o json, yaml, csv, name or wide. Data goes to stdout, messages go to stderr.

Exit codes: 0 success, 1 failure, 2 invalid arguments, 3 a check failed, 4 ledger or store unreachable.`;

/** Returns the full name of a command, such as `cluster-ledger period close`. */
export function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/** Returns a command and all its subcommands. */
export function commandsUnder(command: Command): Command[] {
  return [command, ...command.commands.flatMap(commandsUnder)];
}

/** Makes every usage error also print the allowed commands or options. */
function addErrorHints(program: Command): void {
  for (const command of commandsUnder(program)) addErrorHint(command);
}

function addErrorHint(command: Command): void {
  const name = nameOf(command);
  const commands = command.commands.map((each) => each.name()).join(', ');
  const options = command.options.map(({ long }) => long).join(', ');
  const allowed =
    commands === ''
      ? `  usage: ${name} ${command.usage()}${options === '' ? '' : `\n  options: ${options}`}`
      : `  commands of ${name}: ${commands}`;
  command.showHelpAfterError(`${allowed}\n  more: ${name} --help`);
}

/** Refuses an option that was given twice, unless it collects values: the last one would silently win. */
function refuseRepetitions(program: Command): void {
  for (const command of commandsUnder(program)) {
    for (const option of command.options) {
      if (!option.required || option.description.includes('repeatable')) continue;
      let count = 0;
      command.on(`option:${option.name()}`, () => {
        count++;
        if (count > 1) command.error(`error: option '${option.flags}' was given twice`);
      });
    }
  }
}
