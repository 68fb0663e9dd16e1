import { type Command, InvalidArgumentError } from 'commander';

export function addDemo(parent: Command): void {
  parent
    .command('demo')
    .description(
      'Starts a ledger with a year of sample data for forty accounts, a few open problems and live traffic, and prints what to look at. The same as npm run demo.',
    )
    .option(
      '--seconds <number>',
      'stop after this many seconds of live traffic (default: run until Ctrl-C)',
      seconds,
    )
    .addHelpText('after', '\nExample:\n  $ cluster-ledger demo')
    .action(async ({ seconds: duration }: { readonly seconds?: string }) => {
      const { runDemoCommand: demo } = await import('../demo/demo-command.ts');
      await demo(duration === undefined ? [] : ['--seconds', duration]);
    });
}

function seconds(text: string): string {
  if (/^[1-9]\d{0,5}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a whole number from 1 to 999999.');
}
