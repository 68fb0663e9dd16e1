import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { addCheckpoint, type WitnessAnswer } from '../../../src/audit/witness/add-checkpoint.ts';

interface Posted {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

/** Starts a witness that answers as it is said, and returns its URL and the requests that it got. */
async function witness(answer: (response: ServerResponse) => void) {
  const posted: Posted[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method, url, headers } = request;
    posted.push({ method, url, type: headers['content-type'], body: Buffer.concat(chunks).toString('utf8') });
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, posted };
}

const NOTE = 'ledger.example/1\n5\nrööt\n\n— ledger.example/1 AAAA\n';
const checkpoint = { old: 3, proof: ['aGFzaA==', 'bW9yZQ=='], note: NOTE };
const never = new AbortController().signal;

/** Posts a checkpoint to a witness that answers with a status, a body and a type. */
async function answerTo(status: number, body: string | Buffer, type = 'text/plain'): Promise<WitnessAnswer> {
  const { url } = await witness((response) => response.writeHead(status, { 'content-type': type }).end(body));
  return addCheckpoint(url, checkpoint, never);
}

describe('a new checkpoint', () => {
  test.each(['', '/', '/witness', '/witness/'])('is posted to the prefix "%s"', async (prefix) => {
    const { url, posted } = await witness((response) => response.end());
    await addCheckpoint(`${url}${prefix}`, checkpoint, never);
    expect(posted).toEqual([
      {
        method: 'POST',
        url: `${prefix.replace(/\/$/, '')}/add-checkpoint`,
        type: 'text/plain; charset=utf-8',
        body: `old 3\naGFzaA==\nbW9yZQ==\n\n${NOTE}`,
      },
    ]);
  });

  test('is posted without a proof to a witness that knows none', async () => {
    const { url, posted } = await witness((response) => response.end());
    await addCheckpoint(url, { old: 0, proof: [], note: NOTE }, never);
    expect(posted[0]?.body).toBe(`old 0\n\n${NOTE}`);
  });

  test('is cosigned by each line of an answer with status 200', async () => {
    const lines = ['— w1 AAAA', '— w1 BBBB'];
    expect(await answerTo(200, '— w1 AAAA\n\n— w1 BBBB\n')).toEqual({ outcome: 'cosigned', lines });
    expect(await answerTo(200, '')).toEqual({ outcome: 'cosigned', lines: [] });
  });

  test.each([
    ['0\n', 0],
    ['7\n', 7],
    ['10\n', 10],
    ['999999999999999\n', 999_999_999_999_999],
  ])('is in conflict with the size that an answer with status 409 names: %j', async (body, size) => {
    expect(await answerTo(409, body, 'text/x.tlog.size')).toEqual({ outcome: 'conflict', size });
    expect(await answerTo(409, body, 'text/x.tlog.size; charset=utf-8')).toEqual({
      outcome: 'conflict',
      size,
    });
  });

  test.each(['', '7', '07\n', '-7\n', '7\n7\n', ' 7\n', '7x\n', 'x7\n', '1000000000000000\n'])(
    'is in no conflict if the size is %j',
    async (body) => {
      expect(await answerTo(409, body, 'text/x.tlog.size')).toEqual({
        outcome: 'failed',
        why: `it answered 409: ${body.trim()}`,
      });
    },
  );

  test('is in no conflict if the answer has another status or another type', async () => {
    expect(await answerTo(409, '7\n')).toEqual({ outcome: 'failed', why: 'it answered 409: 7' });
    expect(await answerTo(400, '7\n', 'text/x.tlog.size')).toEqual({
      outcome: 'failed',
      why: 'it answered 400: 7',
    });
    const { url } = await witness((response) => response.writeHead(409).end('7\n'));
    expect(await addCheckpoint(url, checkpoint, never)).toEqual({
      outcome: 'failed',
      why: 'it answered 409: 7',
    });
  });

  test('is refused by any other answer, of which the first 200 characters say why', async () => {
    expect(await answerTo(422, `\n ${'x'.repeat(201)}\n`)).toEqual({
      outcome: 'failed',
      why: `it answered 422: ${'x'.repeat(200)}`,
    });
    expect(await answerTo(500, '')).toEqual({ outcome: 'failed', why: 'it answered 500: ' });
    expect(await answerTo(204, '')).toEqual({ outcome: 'failed', why: 'it answered 204: ' });
  });

  test('gets an answer of at most 64 KiB', async () => {
    const full = await answerTo(200, 'x'.repeat(65_536));
    expect(full).toEqual({ outcome: 'cosigned', lines: ['x'.repeat(65_536)] });
    expect(await answerTo(200, 'x'.repeat(65_537))).toEqual({
      outcome: 'failed',
      why: 'its answer has more than 65536 bytes',
    });
  });

  test('is not sent on by a redirect', async () => {
    const other = await witness((response) => response.end());
    const { url } = await witness((response) => response.writeHead(307, { location: other.url }).end());
    expect(await addCheckpoint(url, checkpoint, never)).toMatchObject({ outcome: 'failed' });
    expect(other.posted).toEqual([]);
  });

  test('is given up when the ledger stops, and if there is no witness', async () => {
    const stop = new AbortController();
    const { url } = await witness(() => stop.abort(new Error('the ledger stops')));
    expect(await addCheckpoint(url, checkpoint, stop.signal)).toEqual({
      outcome: 'failed',
      why: 'the ledger stops',
    });
    expect(await addCheckpoint('http://127.0.0.1:1', checkpoint, never)).toMatchObject({ outcome: 'failed' });
  });
});
