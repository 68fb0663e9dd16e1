import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { readCliEnvironment } from '../config.ts';
import { EXIT, Failure } from './failure.ts';
import { Output, sayError } from './output.ts';
import { buildProgram } from './program.ts';

/** Commands that end by themselves at a signal. */
const MINDS_SIGNALS = new Set(['serve', 'demo']);

/** Runs one command, and sets the exit code. */
async function main(): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read the output has seen enough, as in `cluster-ledger … | head`.
    if (error.code === 'EPIPE') process.exit(EXIT.done);
    throw error;
  });
  const program = buildProgram({ out: new Output(), environment: readCliEnvironment() }, versionOfPackage());
  program.hook('preAction', (_, command) => {
    if (!MINDS_SIGNALS.has(command.name())) process.on('SIGINT', () => process.exit(EXIT.interrupted));
  });
  try {
    await program.parseAsync();
  } catch (error) {
    report(error);
  }
}

/** Says what went wrong, and sets the exit code. */
function report(error: unknown): void {
  if (error instanceof CommanderError) {
    // What was asked for, such as help, is no mistake; what is one was told already.
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.wrongUsage;
  } else if (error instanceof Failure) {
    process.exitCode = error.exit;
    sayError(error.message);
  } else {
    process.exitCode = EXIT.failed;
    sayError(`this is a mistake of cluster-ledger: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

function versionOfPackage(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

await main();
