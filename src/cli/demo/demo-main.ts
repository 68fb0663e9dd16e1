import { demo } from './demo-command.ts';

await demo(process.argv.slice(2));
