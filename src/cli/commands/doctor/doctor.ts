import type { Command } from 'commander';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import type { TargetOptions } from '../../client/target.ts';
import { EXIT } from '../../terminal/cli-error.ts';
import { withJson, withServer } from '../../terminal/options.ts';
import { oneLine } from '../../terminal/text.ts';
import type { Finding } from './finding.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
}

export function addDoctor(parent: Command, cli: CliContext): void {
  const command = parent
    .command('doctor')
    .description(
      'Checks the configuration here and a running ledger: its readiness, its newest checkpoint, its validator and its critical alerts. Prints what to do about each failed check. Exits with 3 if a check fails, with 4 if the ledger does not answer.',
    )
    .addHelpText('after', '\nExample:\n  $ cluster-ledger doctor')
    .action((options: Options) =>
      withRunningLedger(cli, options, async (client) => {
        const { examine } = await import('./examine.ts');
        const checks: Finding[] = [];
        const findings = examine(client);
        let step = await findings.next();
        for (; step.done !== true; step = await findings.next()) {
          checks.push(step.value);
          if (options.json !== true) await show(cli, step.value);
        }
        const exit = step.value;
        if (options.json === true) await cli.out.json({ ok: exit === EXIT.done, checks });
        if (exit !== EXIT.done) process.exitCode = exit;
      }),
    );
  withJson(withServer(command), 'print the result as JSON');
}

const STYLES = { ok: 'green', failed: 'red', skipped: 'dim' } as const;
const SHOWN = { ok: 'ok', failed: 'FAILED', skipped: '-' } as const;
const INDENT = ' '.repeat(8);

async function show({ out }: CliContext, { check, state, detail, next }: Finding): Promise<void> {
  const word = SHOWN[state];
  const [first = '', ...more] = detail.split('\n').map(oneLine);
  await out.line(
    `${out.style(STYLES[state], word)}${INDENT.slice(word.length)}${check.padEnd(15)}  ${first}`,
  );
  for (const line of more) await out.line(`${INDENT}${line}`);
  if (next !== undefined) await out.line(`${INDENT}do: ${oneLine(next)}`);
}
