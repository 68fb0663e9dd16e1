import { type Command, InvalidArgumentError } from 'commander';

export function addDemo(parent: Command): void {
  parent
    .command('demo')
    .summary('a ledger with a made-up year of facts and live traffic')
    .description(
      'Starts a ledger with a made-up year of facts for forty accounts, a few open problems and live traffic, and says where to look: what npm run demo does.',
    )
    .option(
      '--seconds <number>',
      'stop after so many seconds of live traffic; without it, at Ctrl-C',
      seconds,
    )
    .addHelpText('after', '\nExample:\n  $ cluster-ledger demo')
    .action(async ({ seconds: given }: { readonly seconds?: string }) => {
      const { runDemoCommand: demo } = await import('../demo/demo-command.ts');
      await demo(given === undefined ? [] : ['--seconds', given]);
    });
}

function seconds(text: string): string {
  if (/^[1-9]\d{0,5}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a whole number from 1 to 999999.');
}
