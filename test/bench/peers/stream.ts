import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { CloudEvent } from '../../../src/http/ingest/cloud-event-envelope.ts';

/**
 * Servers that send every posted event to every connected client, and keep nothing. They do not select, catch up, or watch
 * how fast a client reads, as the ledger does: the comparison favors them.
 */

/** As src/delivery/live-stream.ts has it. */
const COLLECT_MS = 50;
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\nretry: 2000\n\n';

function frameOf(event: CloudEvent, position: number): string {
  return `id: ${position}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function acceptEvents(app: FastifyInstance, send: (frame: string) => void): void {
  let position = 0;
  app.addContentTypeParser('application/cloudevents+json', { parseAs: 'string' }, (_, body, done) => {
    done(null, JSON.parse(body as string));
  });
  app.post('/v1/events', async (request) => {
    send(frameOf(request.body as CloudEvent, ++position));
    return {};
  });
}

/** As most servers do it: a write for each client and event. */
export function streamEach(app: FastifyInstance): void {
  const clients = new Set<NodeJS.WritableStream>();
  app.get('/v1/stream', (_, reply) => {
    const { raw } = reply.hijack();
    raw.writeHead(200, { 'content-type': 'text/event-stream' });
    raw.write('retry: 2000\n\n');
    clients.add(raw);
    raw.once('close', () => clients.delete(raw));
  });
  acceptEvents(app, (frame) => {
    for (const client of clients) client.write(frame);
  });
}

/** The floor: frames are collected as long as the ledger collects them, and their bytes are written to the socket of each client. */
export function streamShared(app: FastifyInstance): void {
  const clients = new Set<Socket>();
  app.get('/v1/stream', (_, reply) => {
    const { socket } = reply.hijack().request;
    socket.write(HEAD);
    clients.add(socket);
    socket.once('close', () => clients.delete(socket));
  });
  let frames: string[] = [];
  acceptEvents(app, (frame) => {
    if (frames.push(frame) > 1) return;
    setTimeout(() => {
      const bytes = Buffer.from(frames.join(''));
      frames = [];
      for (const client of clients) client.write(bytes);
    }, COLLECT_MS);
  });
}
