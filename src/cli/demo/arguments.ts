import { parseArgs } from 'node:util';

export const HELP = `Usage: npm run demo [-- --seconds N]

Starts a ledger with a year of sample data for forty accounts, a few open problems and
live traffic, and prints what to look at.

  --seconds N  stop after N seconds of live traffic (default: run until Ctrl-C)
  --help       show this text

Environment: LEDGER_HTTP_PORT (default 8400; 0 picks a free port) and LEDGER_DATA_DIR
(default ./data). The demo stores its data with SQLite in the folder "demo" below
LEDGER_DATA_DIR. It empties that folder at every start, but only if the demo made it.
`;

/** The arguments are not valid. The message is printed as it is. */
export class DemoUsageError extends Error {
  override readonly name = 'WrongUsage';
}

export interface Arguments {
  readonly help: boolean;
  /** Duration of the live traffic; `undefined` means until a signal. */
  readonly seconds: number | undefined;
}

/** Parses the arguments. @throws DemoUsageError if they are not valid. */
export function readArguments(args: readonly string[]): Arguments {
  const { help = false, seconds } = parse(args);
  if (seconds === undefined) return { help, seconds };
  if (!/^[1-9]\d{0,5}$/.test(seconds)) {
    throw new DemoUsageError(
      `--seconds must be a whole number from 1 to 999999; given ${JSON.stringify(seconds)}`,
    );
  }
  return { help, seconds: Number(seconds) };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { help: { type: 'boolean' }, seconds: { type: 'string' } },
    }).values;
  } catch (error) {
    throw new DemoUsageError((error as Error).message);
  }
}
