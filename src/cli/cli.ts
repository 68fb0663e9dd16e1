import { readFileSync } from 'node:fs';
import { readCliEnvironment } from '../config/config.ts';
import { buildProgram } from './program.ts';
import { runCommand } from './run-command.ts';
import { EXIT } from './terminal/cli-error.ts';
import { Output } from './terminal/output.ts';

/** Commands that end by themselves at a signal. */
const HANDLES_SIGNALS = new Set(['serve', 'demo']);

/** Runs one command, and sets the exit code. */
async function main(): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read the output has seen enough, as in `cluster-ledger … | head`.
    if (error.code === 'EPIPE') process.exit(EXIT.done);
    throw error;
  });
  // Nobody reads what is said there.
  process.stderr.on('error', () => undefined);
  const program = buildProgram({ out: new Output(), environment: readCliEnvironment() }, packageVersion());
  program.hook('preAction', (_, command) => {
    if (!HANDLES_SIGNALS.has(command.name())) process.on('SIGINT', () => process.exit(EXIT.interrupted));
  });
  const exit = await runCommand(program, process.argv.slice(2));
  if (exit !== EXIT.done) process.exitCode = exit;
}

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

await main();
