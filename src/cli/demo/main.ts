import { demo } from './demo.ts';

await demo(process.argv.slice(2));
