import { parseArgs } from 'node:util';

export const HELP = `Usage: npm run demo [-- --seconds N]

Starts a ledger with a made-up year of facts for forty accounts, a few open problems
and live traffic, and says where to look.

  --seconds N  stop after N seconds of live traffic; without it, at Ctrl-C
  --help       show this text

Environment: LEDGER_HTTP_PORT (8400; 0 for any that is free), LEDGER_DATA_DIR (./data).
The demo keeps its data in the folder "demo" below LEDGER_DATA_DIR, always in SQLite, and
empties that folder at every start; a folder that it did not make is left alone.
`;

/** The command line is not understood; the message says why. */
export class DemoUsageError extends Error {
  override readonly name = 'WrongUsage';
}

export interface Arguments {
  readonly help: boolean;
  /** How long the live traffic goes on; without it until a signal. */
  readonly seconds: number | undefined;
}

/** @throws WrongUsage */
export function readArguments(given: readonly string[]): Arguments {
  const { help = false, seconds } = parse(given);
  if (seconds === undefined) return { help, seconds };
  if (!/^[1-9]\d{0,5}$/.test(seconds)) {
    throw new DemoUsageError(
      `--seconds must be a whole number from 1 to 999999; given ${JSON.stringify(seconds)}`,
    );
  }
  return { help, seconds: Number(seconds) };
}

function parse(given: readonly string[]) {
  try {
    return parseArgs({
      args: [...given],
      options: { help: { type: 'boolean' }, seconds: { type: 'string' } },
    }).values;
  } catch (error) {
    throw new DemoUsageError((error as Error).message);
  }
}
