import { Command, type Option } from 'commander';
import { nameOf } from './program.ts';
import { withServer, withTarget, withWindow } from './terminal/options.ts';

/** Line of docs/cli.md behind which everything is generated. */
export const GENERATED_FROM_HERE =
  '<!-- Everything below is generated from the program: npx vitest run test/cli/reference.test.ts -u -->';

/** Options that many commands share, and that the page therefore lists once. The largest group first. */
const SHARED = [
  ['Options of a target', flagsOf(withTarget(new Command()))],
  ['Options of a server', flagsOf(withServer(new Command()))],
  ['Options of a window', flagsOf(withWindow(new Command()))],
] as const;

/** Returns the reference of all commands of a program in Markdown: what the help of each command says. */
export function referencePage(program: Command): string {
  const shared = SHARED.toReversed().map(
    ([title, flags]) =>
      `## ${title}\n\n${table(sharedOptions().filter(({ flags: own }) => flags.includes(own)))}`,
  );
  const groups = Map.groupBy(
    program.commands.filter(({ commands }) => commands !== undefined),
    headingOf,
  );
  const commands = [...groups].map(([heading, members]) =>
    [`## ${heading}`, ...members.flatMap(runnable).map(section)].join('\n\n'),
  );
  return `${[...shared, ...commands].join('\n\n')}\n`;
}

function sharedOptions(): readonly Option[] {
  return withWindow(withTarget(new Command())).options;
}

function flagsOf(command: Command): string[] {
  return command.options.map(({ flags }) => flags);
}

/** Returns the title of the group that the help of the program lists a command in. */
function headingOf(command: Command): string {
  return command.helpGroup().replace(/:$/, '');
}

/** Returns a command and its subcommands, as far as they can be run. */
function runnable(command: Command): Command[] {
  const inner = command.commands.flatMap(runnable);
  // `log key` prints the keys, and has subcommands that change them.
  return inner.length === 0 || command.options.length > 0 ? [command, ...inner] : inner;
}

function section(command: Command): string {
  const args = command.registeredArguments.map((argument) => ` ${argumentRow(argument).flags}`);
  const flags = flagsOf(command);
  const links: string[] = [];
  let own = command.options.filter(({ hidden }) => !hidden);
  for (const [title, group] of SHARED) {
    const isWhole = group.every(
      (flag) => flags.includes(flag) && own.some((option) => option.flags === flag),
    );
    if (!isWhole) continue;
    own = own.filter((option) => !group.includes(option.flags));
    links.push(`[${title}](#${title.toLowerCase().replaceAll(' ', '-')})`);
  }
  const described = command.registeredArguments.filter(({ description }) => description !== '');
  return [
    `### \`${nameOf(command)}${args.join('')}\``,
    `\`\`\`\n${examplesOf(command)}\n\`\`\``,
    command.description() + (links.length === 0 ? '' : `\n${links.join(', ')}.`),
    ...(described.length + own.length === 0 ? [] : [table([...described.map(argumentRow), ...own])]),
  ].join('\n\n');
}

interface Row {
  readonly flags: string;
  readonly description: string;
  readonly mandatory?: boolean;
  readonly defaultValue?: unknown;
}

function argumentRow(argument: Command['registeredArguments'][number]): Row {
  return {
    flags: argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
    description: argument.description,
  };
}

function table(rows: readonly Row[]): string {
  const cells = rows.map(({ flags, description, mandatory = false, defaultValue }) => {
    const isTold =
      defaultValue === undefined || Array.isArray(defaultValue) || description.includes('default');
    const text = `${description}${isTold ? '' : ` (default: ${String(defaultValue)})`}${mandatory ? '; required' : ''}`;
    return [`\`${escaped(flags)}\``, escaped(text)] as const;
  });
  const widths = [0, 1].map((column) =>
    Math.max(...cells.map((row) => (row[column] as string).length), column === 0 ? 6 : 7),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] as number)).join(' | ')} |`;
  return [
    line(['option', 'meaning']),
    `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`,
    ...cells.map(line),
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** Returns the examples in the help of a command. */
function examplesOf(command: Command): string {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  const [, examples = ''] = help.split(/\nExamples?:\n/);
  return examples.trimEnd().replaceAll(/^ {2}/gm, '');
}
