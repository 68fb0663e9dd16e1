import { type Command, InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import { FEED_CURSOR } from '../../api/feed.ts';
import { AccountId, ClusterId, EventId } from '../../domain/facts/fact.ts';
import { INSTANT_FORM, PERIOD, parseInstant } from '../../domain/time.ts';
import type { TargetOptions } from '../client/target.ts';
import { usageError } from './cli-error.ts';
import { FORMATS, type Format } from './formats.ts';

const invalid = (message: string) => new InvalidArgumentError(message);

/** Returns a parser that checks the text against a schema. @param name beginning of the message. */
function checkedBy(schema: z.ZodType, name: string): (text: string) => string {
  return (text) => {
    const parsed = schema.safeParse(text);
    if (parsed.success) return text;
    throw invalid(`${name} ${parsed.error.issues[0]?.message}.`);
  };
}

export const accountId = checkedBy(AccountId, 'An account id');
export const clusterId = checkedBy(ClusterId, 'A cluster id');
export const webhookId = checkedBy(EventId, 'A webhook id');
export const eventId = checkedBy(EventId, 'An event id');

export function period(text: string): string {
  if (PERIOD.test(text) && text !== '9999-12') return text;
  throw invalid('It must be a month, YYYY-MM, from 1970-01.');
}

export function instant(text: string): string {
  if (parseInstant(text) !== undefined) return text;
  throw invalid(`It must be ${INSTANT_FORM}.`);
}

export function position(text: string): string {
  if (isPosition(text)) return text;
  throw invalid('It must be a position in the log: a whole number, 0 or more.');
}

export function feedCursor(text: string): string {
  if (FEED_CURSOR.test(text)) return text;
  throw invalid('It must be a position in the log (a whole number, 0 or more), or the `next` of the feed.');
}

export function asOf(text: string): string {
  if (isPosition(text) || parseInstant(text) !== undefined) return text;
  throw invalid(`It must be a position in the log (a whole number, 0 or more) or ${INSTANT_FORM}.`);
}

function isPosition(text: string): boolean {
  return /^(0|[1-9]\d{0,14})$/.test(text);
}

/** Returns a parser that collects the values of an option that may be repeated. */
export function collect(parse: (text: string) => string = (text) => text) {
  return (text: string, before: readonly string[] = []): readonly string[] => [...before, parse(text)];
}

/** Adds the options that choose a running ledger. A command with a `--key` of its own takes API keys by `--token` only. */
export function withServer(command: Command): Command {
  if (!command.options.some(({ long }) => long === '--key')) {
    command.addOption(
      new Option(
        '--key <key>',
        'API key; prefer LEDGER_KEY or a context, which other users cannot see',
      ).conflicts('token'),
    );
  }
  return command
    .addOption(
      new Option('--url <url>', 'URL of the ledger (default: http://127.0.0.1:8400)').conflicts('context'),
    )
    .option(
      '--token <token>',
      'API key or access token; prefer LEDGER_TOKEN or a context, which other users cannot see',
    )
    .option('--context <name>', 'saved context to use');
}

/** Adds the options that choose a running ledger, or a store to open for reading. */
export function withTarget(command: Command): Command {
  const hasOwnKey = command.options.some(({ long }) => long === '--key');
  return withServer(command)
    .addOption(
      new Option(
        '--store <store>',
        'read a store directly while no ledger uses it: sqlite:<file> or esdb://…',
      ).conflicts(hasOwnKey ? ['url', 'context', 'token'] : ['url', 'context', 'token', 'key']),
    )
    .option('--namespace <name>', 'stream prefix in the store (default: ledger)');
}

/** Adds the options that choose the form of the output. */
export function withJson(command: Command, description = "print the ledger's JSON unchanged"): Command {
  return withFormats(command, description, ['json', 'yaml', 'wide']);
}

/** Adds the options of a command that prints one table, which every form can show. */
export function withListFormats(command: Command, description: string): Command {
  return withFormats(command, description, FORMATS);
}

function withFormats(command: Command, description: string, formats: readonly Format[]): Command {
  const choice = `form of the output: ${formats.join(', ')}`;
  return command
    .option('--json', description)
    .addOption(new Option('-o, --output <form>', choice).choices(formats).conflicts('json'));
}

/** Adds CSV of the ledger to the forms of a command. */
export function withCsv(command: Command): Command {
  const output = command.options.find(({ long }) => long === '--output');
  if (output?.argChoices !== undefined) {
    output.choices([...output.argChoices, 'csv']).conflicts('csv');
    output.description = `form of the output: ${output.argChoices.join(', ')}`;
  }
  return command.addOption(new Option('--csv', 'print CSV').conflicts('json'));
}

export interface WindowOptions extends TargetOptions {
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly period?: string;
  readonly from?: string;
  readonly to?: string;
  readonly through?: string;
  readonly asOf?: string;
}

/** Adds the options that choose the window to count. */
export function withWindow(command: Command): Command {
  return command
    .addOption(
      new Option('--period <month>', 'UTC month to count, YYYY-MM')
        .argParser(period)
        .conflicts(['from', 'to']),
    )
    .option('--from <instant>', 'start of the window, instead of --period', instant)
    .option('--to <instant>', 'end of the window (exclusive)', instant)
    .option('--through <instant>', 'count up to this instant (default: now)', instant);
}

export function withAsOf(command: Command): Command {
  return command.option(
    '--as-of <position|instant>',
    'use only facts up to a log position, or recorded by an instant',
    asOf,
  );
}

/** Returns the query parameters of a window. @throws CliError if it has one end, or none. */
export function windowQuery({ period: month, from, to, through }: WindowOptions) {
  if (month === undefined && (from === undefined || to === undefined))
    throw usageError(
      from === undefined && to === undefined
        ? 'no period given: pass --period YYYY-MM, or --from and --to'
        : `--from and --to must be used together; only ${from === undefined ? '--to' : '--from'} was given`,
    );
  return { period: month, from, to, through };
}
