import { readFileSync } from 'node:fs';
import { readCliEnvironment } from '../config/cli-environment.ts';
import { buildProgram } from './program.ts';
import { runCommand } from './run-command.ts';
import { EXIT } from './terminal/cli-error.ts';
import { Output } from './terminal/output.ts';

/** Commands that handle signals themselves. */
const HANDLES_SIGNALS = new Set(['serve', 'demo']);

/** Runs the command of the command line and sets the exit code. */
async function main(): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader of the pipe has closed it, as in `cluster-ledger … | head`.
    if (error.code === 'EPIPE') process.exit(EXIT.done);
    throw error;
  });
  // Nobody reads the messages any more.
  process.stderr.on('error', () => undefined);
  const args = process.argv.slice(2);
  const context = { out: new Output(), environment: readCliEnvironment() };
  const program = await buildProgram(context, packageVersion(), args);
  program.hook('preAction', (_, command) => {
    if (!HANDLES_SIGNALS.has(command.name())) process.on('SIGINT', () => process.exit(EXIT.interrupted));
  });
  const exit = await runCommand(program, args);
  if (exit !== EXIT.done) process.exitCode = exit;
}

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

await main();
