import { runDemoCommand } from './demo-command.ts';

await runDemoCommand(process.argv.slice(2));
