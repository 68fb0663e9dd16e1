import { type Command, CommanderError } from 'commander';
import { CliError, EXIT, type ExitCode } from './terminal/cli-error.ts';
import { printError } from './terminal/output.ts';

/**
 * Runs the command that the arguments call, and says what went wrong.
 * @returns how it ended; what has found something wrong says so in `process.exitCode` instead.
 */
export async function runCommand(program: Command, args: readonly string[]): Promise<ExitCode> {
  try {
    await program.parseAsync(args, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    // What was asked for, such as help, is no mistake; what is one was told already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usageError;
    if (error instanceof CliError) {
      printError(error.message);
      return error.exit;
    }
    const words = error instanceof Error ? error.stack : String(error);
    printError(`this is a mistake of cluster-ledger: ${words}`);
    return EXIT.failed;
  }
}
