/** Measures what docs/scaling.md says: `npm run scaling -- --clusters 20000 --months 6`. */
import { parseArgs } from 'node:util';
import { simulateMonths } from './simulate-month.ts';

const { values } = parseArgs({
  options: { clusters: { type: 'string', default: '10000' }, months: { type: 'string', default: '3' } },
});
const month = await simulateMonths(Number(values.clusters), Number(values.months));
for (const [name, value] of Object.entries(month))
  process.stdout.write(
    `${name.padEnd(22)} ${Number(value).toLocaleString('en', { maximumFractionDigits: 1 })}\n`,
  );
