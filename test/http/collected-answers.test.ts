import { Agent, type ClientRequest, get } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { fastify } from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import type { App } from '../../src/http/server/app.ts';
import { collectAnswers } from '../../src/http/server/collected-answers.ts';

/** Serves an answer at `/`. @returns the port, and the bytes that each connection held back when its answer was complete. */
async function serve() {
  const app = fastify() as unknown as App;
  const held: number[] = [];
  const sockets: Socket[] = [];
  collectAnswers(app);
  app.get('/', (request, reply) => {
    sockets.push(request.raw.socket);
    void reply.send('an answer');
    held.push(request.raw.socket.writableLength);
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
  return { port: (app.server.address() as AddressInfo).port, held, sockets };
}

async function textOf(request: ClientRequest): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  request.on('error', reject).on('response', (answer) => resolve(buffer(answer).then(String)));
  return promise;
}

test('an answer is handed to the system at the end of the turn of the event loop, and not before', async () => {
  const { port, held, sockets } = await serve();
  expect(await textOf(get({ port }))).toBe('an answer');
  expect(held).toEqual([expect.any(Number)]);
  expect(held[0]).toBeGreaterThan('an answer'.length);
  expect(sockets[0]?.writableLength).toBe(0);
});

test('every answer of a turn is sent, and every further one on the same connection', async () => {
  const { port, held } = await serve();
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  onTestFinished(() => agent.destroy());
  const answers = await Promise.all(Array.from({ length: 40 }, () => textOf(get({ port, agent }))));
  expect(new Set(answers)).toEqual(new Set(['an answer']));
  expect(held.filter((bytes) => bytes > 0)).toHaveLength(40);
});
