import { type Command, CommanderError } from 'commander';
import { CliError, EXIT, type ExitCode } from './terminal/cli-error.ts';
import { printError } from './terminal/output.ts';

/**
 * Runs the command that the arguments name. Prints any error to stderr.
 * @returns the exit code; a command whose checks failed sets `process.exitCode` instead.
 */
export async function runCommand(program: Command, args: readonly string[]): Promise<ExitCode> {
  try {
    await program.parseAsync(args, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    // Commander has printed its own message. Help and the version are not errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usageError;
    if (error instanceof CliError) {
      printError(error.message);
      return error.exit;
    }
    const words = error instanceof Error ? error.stack : String(error);
    printError(`internal error; please report it: ${words}`);
    return EXIT.failed;
  }
}
