import { Client, type Dispatcher } from 'undici';
import { type Answer, type Answers, isKubernetes, PATHS, type ProbeRequest } from './classify-answers.ts';
import { type DialOptions, dial } from './dial.ts';
import { exchangeFailure, ProbeFailure, probeTimeout } from './probe-failure.ts';

/** More of a body is not read. */
const MAX_BODY_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** An answer may be announced by interim ones (1xx); a server that sends nothing else would keep us busy until the deadline. */
const MAX_INTERIM = 8;

/**
 * Asks the questions one after the other, over one connection unless the other side closes it, and puts the answers where
 * they are asked for as they come. Nothing of it is open when this settles. @throws ProbeFailure
 */
export async function sendRequests(to: DialOptions, answers: Answers): Promise<void> {
  const { endpoint, signal } = to;
  const client = new Client(`${endpoint.isTls ? 'https' : 'http'}://ledger.invalid`, {
    connect: (_, done) => {
      dial(to).then(
        (socket) => done(null, socket as never),
        (error: unknown) => done(error as Error, null),
      );
    },
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    // The deadline of the probe is the only one.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    for (const [question, path] of Object.entries(PATHS) as [ProbeRequest, string][]) {
      answers[question] = await get(client, to, path);
      if (isFinal(answers[question]) && isKubernetes(answers)) return;
    }
  } catch (error) {
    if (signal.aborted) throw probeTimeout();
    throw exchangeFailure(error);
  } finally {
    client.destroy().catch(() => undefined);
    for (const socket of to.opened) socket.destroy();
  }
}

/** Who is not known, or asks too much, need not ask on. */
function isFinal({ status }: Answer): boolean {
  return status === 401 || status === 429;
}

async function get(client: Client, { endpoint, signal }: DialOptions, path: string): Promise<Answer> {
  const authorization = endpoint.revealAuthorization();
  let interim = 0;
  const { statusCode, headers, body } = await client.request({
    method: 'GET',
    onInfo: () => {
      if (++interim > MAX_INTERIM) client.destroy(tooManyInterim()).catch(() => undefined);
    },
    path: endpoint.basePath + path,
    signal,
    headers: {
      host: hostHeader(endpoint),
      accept: 'application/json, text/plain;q=0.5',
      'accept-encoding': 'identity',
      'user-agent': 'cluster-ledger',
      ...(authorization !== undefined && { authorization }),
    },
  });
  const isPlain = (headers['content-encoding'] ?? 'identity') === 'identity';
  return { status: statusCode, body: isPlain ? await readBody(body) : discard(body) };
}

function tooManyInterim(): ProbeFailure {
  return new ProbeFailure('unknown', 'bad-answer', `more than ${MAX_INTERIM} interim answers and no answer`);
}

/** The body as text; nothing of one that is too large. */
async function readBody(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    // Leaving the loop ends the connection: the rest of it is never received.
    if (length > MAX_BODY_BYTES) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function discard(body: Dispatcher.ResponseData['body']): string {
  body.on('error', () => undefined).destroy();
  return '';
}

function hostHeader({ host, port, isTls }: DialOptions['endpoint']): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === (isTls ? 443 : 80) ? name : `${name}:${port}`;
}
