import { type Command, InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import { AccountId, ClusterId, EventId } from '../../domain/facts/fact.ts';
import { INSTANT_FORM, PERIOD, parseInstant } from '../../domain/time.ts';
import type { TargetOptions } from '../client/target.ts';
import { usageError } from './cli-error.ts';

/** Options that several commands take. What is given is checked here, so that it is wrong usage and never asked. */

const invalid = (message: string) => new InvalidArgumentError(message);

function checkedBy(schema: z.ZodType, what: string): (text: string) => string {
  return (text) => {
    const parsed = schema.safeParse(text);
    if (parsed.success) return text;
    throw invalid(`It must be ${what}: ${parsed.error.issues[0]?.message}.`);
  };
}

export const accountId = checkedBy(AccountId, 'the id of an account');
export const clusterId = checkedBy(ClusterId, 'the id of a cluster');
export const eventId = checkedBy(EventId, 'the id of an event');

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
  throw invalid('It must be a place in the log, a whole number from 0.');
}

export function asOf(text: string): string {
  if (isPosition(text) || parseInstant(text) !== undefined) return text;
  throw invalid(`It must be a place in the log, a whole number from 0, or ${INSTANT_FORM}.`);
}

function isPosition(text: string): boolean {
  return /^(0|[1-9]\d{0,14})$/.test(text);
}

/** Collects what is given several times. */
export function collect(parse: (text: string) => string = (text) => text) {
  return (text: string, before: readonly string[] = []): readonly string[] => [...before, parse(text)];
}

/** Which ledger is talked to. */
export function withServer(command: Command): Command {
  return command
    .addOption(
      new Option('--url <url>', 'the ledger to talk to, by default http://127.0.0.1:8400').conflicts(
        'context',
      ),
    )
    .option('--token <token>', 'what the ledger knows you by; better in LEDGER_TOKEN or a context')
    .option('--context <name>', 'a saved context to use');
}

/** Which ledger is talked to, or which store is opened to read it. */
export function withTarget(command: Command): Command {
  return withServer(command)
    .addOption(
      new Option(
        '--store <store>',
        'open a store that no ledger has in use, and only read it: sqlite:<file> or esdb://…',
      ).conflicts(['url', 'context', 'token']),
    )
    .option('--namespace <name>', 'prefix of the streams of the store, by default ledger');
}

export function withJson(command: Command, what = 'print the JSON of the ledger as it comes'): Command {
  return command.option('--json', what);
}

export function withCsv(command: Command): Command {
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

/** What is counted. */
export function withWindow(command: Command): Command {
  return command
    .addOption(
      new Option('--period <month>', 'the UTC month to count, YYYY-MM')
        .argParser(period)
        .conflicts(['from', 'to']),
    )
    .option('--from <instant>', 'or the beginning of a window of your own', instant)
    .option('--to <instant>', 'and its end', instant)
    .option('--through <instant>', 'count up to this instant, by default now', instant);
}

export function withAsOf(command: Command): Command {
  return command.option(
    '--as-of <position|instant>',
    'what was known at a position, or recorded at or before an instant',
    asOf,
  );
}

/** The window as the ledger is asked for it. @throws CliError if it has only one end, or none. */
export function windowQuery({ period: month, from, to, through }: WindowOptions) {
  if (month === undefined && (from === undefined || to === undefined))
    throw usageError(
      from === undefined && to === undefined
        ? 'say what to count: --period YYYY-MM, or --from and --to'
        : `--from and --to go together; given only ${from === undefined ? '--to' : '--from'}`,
    );
  return { period: month, from, to, through };
}
