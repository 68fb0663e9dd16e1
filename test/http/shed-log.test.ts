import { fastify } from 'fastify';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { StoreRefused } from '../../src/eventstore/store-errors.ts';
import { problemFor, sendProblem } from '../../src/http/server/problem-for.ts';
import { ShedLog } from '../../src/http/server/shed-log.ts';
import { until } from '../support/until.ts';

test('the log of rejected requests has one line at once and one for all that follow soon after', async () => {
  const lines: { readonly requests: number; readonly msg: string }[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) });
  const shed = new ShedLog(log, 20);
  for (let i = 0; i < 50; i++) shed.note('overloaded', `busy ${i}`);
  shed.note('store-unavailable', 'gone');
  const first = [
    { requests: 1, msg: 'busy 0', problem: 'overloaded' },
    { requests: 1, msg: 'gone', problem: 'store-unavailable' },
  ];
  expect(lines).toMatchObject(first);
  await until(() => lines.length > 2);
  expect(lines).toMatchObject([...first, { requests: 49, msg: 'busy 49' }]);
});

test('a ledger whose store is gone writes one line about the requests that it refuses within a second', async () => {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) });
  const app = fastify({ loggerInstance: log });
  app.decorate('shedLog', new ShedLog(log, 3_600_000));
  app.get('/', (request, reply) =>
    sendProblem(request as never, reply as never, problemFor(new StoreRefused('the server is gone'))),
  );
  for (let i = 0; i < 20; i++) expect((await app.inject('/')).statusCode).toBe(503);
  expect(lines.map(({ level, problem }) => [level, problem])).toEqual([[40, 'store-unavailable']]);
  await app.close();
});
