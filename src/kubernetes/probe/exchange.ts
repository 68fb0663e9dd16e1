import { Client, type Dispatcher } from 'undici';
import { type Answer, type Answers, isKubernetes, PATHS, type ProbeRequest } from './classify-answers.ts';
import { type DialOptions, dial } from './dial.ts';
import { exchangeFailure, ProbeFailure, probeTimeout } from './probe-failure.ts';

/** Maximum number of bytes read of a body. */
const MAX_BODY_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** Maximum number of interim (1xx) responses. A server could otherwise send them until the deadline. */
const MAX_INTERIM = 8;

/**
 * Sends the requests in order, over one connection unless the server closes it, and stores each response in
 * `answers` as it arrives. All sockets are closed when this settles.
 * @throws ProbeFailure
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
    // Only the deadline of the probe applies.
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
    throw exchangeFailure(error, endpoint.isVouchedFor);
  } finally {
    client.destroy().catch(() => undefined);
    for (const socket of to.opened) socket.destroy();
  }
}

/** Returns whether further requests are pointless: the probe is unauthenticated or throttled. */
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
  const isEncoded = (headers['content-encoding'] ?? 'identity') !== 'identity';
  const server = knownServer(headers['server']);
  return {
    status: statusCode,
    body: isEncoded ? discard(body) : await readBody(body),
    ...(isEncoded && { isEncoded }),
    ...(server !== undefined && { server }),
  };
}

/** Servers that stand in front of API servers, by their name in the header `server`. */
const SERVERS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^(nginx|openresty)/i, 'nginx'],
  [/^cloudflare/i, 'Cloudflare'],
  [/^awselb/i, 'a load balancer of AWS'],
  [/^(envoy|istio-envoy)/i, 'Envoy'],
  [/^(microsoft-azure|microsoft-iis)/i, 'a gateway of Azure'],
  [/^(google|gws|gse|esf)/i, 'a frontend of Google'],
  [/^haproxy/i, 'HAProxy'],
  [/^traefik/i, 'Traefik'],
  [/^caddy/i, 'Caddy'],
  [/^apache/i, 'Apache'],
];

/** Returns a name of our own for a header that is untrusted text. */
function knownServer(header: string | readonly string[] | undefined): string | undefined {
  return SERVERS.find(([pattern]) => typeof header === 'string' && pattern.test(header))?.[1];
}

function tooManyInterim(): ProbeFailure {
  return new ProbeFailure(
    'unknown',
    'bad-answer',
    `more than ${MAX_INTERIM} interim responses and no final one`,
  );
}

/** Returns the body as text; an empty string if it is too large. */
async function readBody(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    // Leaving the loop closes the connection, so the rest is not received.
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
