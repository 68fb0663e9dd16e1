import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/until.ts';
import { startProxy, type TcpProxy } from './tcp-proxy.ts';

/** A proxy before a server that sends back what it gets. */
async function startEcho(): Promise<TcpProxy> {
  const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startProxy((server.address() as AddressInfo).port);
  onTestFinished(async () => {
    await proxy.close();
    server.close();
  });
  return proxy;
}

async function open(proxy: TcpProxy): Promise<Socket> {
  const socket = connect(proxy.port, '127.0.0.1').setEncoding('utf8');
  // The end of the test resets it.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  await eventually(() => expect(proxy.connections).toBeGreaterThan(0));
  return socket;
}

async function say(socket: Socket, text: string): Promise<unknown> {
  socket.write(text);
  const [echo] = await once(socket, 'data');
  return echo;
}

test('the proxy passes bytes in both directions and counts its connections', async () => {
  const proxy = await startEcho();
  const socket = await open(proxy);
  expect(await say(socket, 'hello')).toBe('hello');
  expect(proxy.connections).toBe(1);
  socket.destroy();
  await eventually(() => expect(proxy.connections).toBe(0));
});

test('a cut of the proxy resets the open connections, and new ones work', async () => {
  const proxy = await startEcho();
  const socket = await open(proxy);
  proxy.cut();
  const [error] = await once(socket, 'error');
  expect(error).toMatchObject({ code: 'ECONNRESET' });
  expect(await say(await open(proxy), 'again')).toBe('again');
});

test('the stalled proxy passes nothing, and passes everything in order once it resumes', async () => {
  const proxy = await startEcho();
  const socket = await open(proxy);
  await say(socket, 'hello');
  proxy.stall();
  let heard = '';
  socket.on('data', (text) => {
    heard += text;
  });
  const isSent = new Promise((resolve) => socket.write('one', resolve));
  await isSent;
  socket.write('two');
  await open(proxy);
  expect(heard).toBe('');
  proxy.resume();
  await eventually(() => expect(heard).toBe('onetwo'));
});

test('the proxy delays each piece by the given milliseconds', async () => {
  const proxy = await startEcho();
  const socket = await open(proxy);
  proxy.delay(30);
  const start = performance.now();
  expect(await say(socket, 'slowly')).toBe('slowly');
  expect(performance.now() - start).toBeGreaterThan(55);
});

test('the proxy can refuse new connections, keep the open ones, and accept new ones on the same port later', async () => {
  const proxy = await startEcho();
  const socket = await open(proxy);
  const { port } = proxy;
  await proxy.refuse(true);
  const [error] = await once(connect(port, '127.0.0.1'), 'error');
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  expect(await say(socket, 'still here')).toBe('still here');
  await proxy.refuse(false);
  expect(proxy.port).toBe(port);
  expect(await say(await open(proxy), 'new')).toBe('new');
});
