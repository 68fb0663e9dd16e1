import { pino } from 'pino';
import { expect, test } from 'vitest';
import { ShedLog } from '../../src/http/server/shed-log.ts';
import { until } from '../support/until.ts';

test('the log of rejected requests has one line at once and one for all that follow soon after', async () => {
  const lines: { readonly requests: number; readonly msg: string }[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) });
  const shed = new ShedLog(log, 20);
  for (let i = 0; i < 50; i++) shed.note(`busy ${i}`);
  expect(lines).toMatchObject([{ requests: 1, msg: 'busy 0', problem: 'overloaded' }]);
  await until(() => lines.length > 1);
  expect(lines).toMatchObject([{ requests: 1 }, { requests: 49, msg: 'busy 49' }]);
});
