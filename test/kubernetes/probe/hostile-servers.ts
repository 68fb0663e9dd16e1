import { createServer as createHttpServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { KeyPair } from '../../support/pki.ts';

/**
 * A fleet of good and bad API servers in a separate process, so that what they do to themselves is not counted as
 * done to the prober.
 */

export const UID = '0b9f5b8e-5b0a-4a8e-9d59-0c2f6f1f7c11';

export interface FleetOrder {
  /** Address to listen at. */
  readonly address: string;
  readonly good: KeyPair;
  /** Pairs with something wrong, by the name of the server that uses them. */
  readonly bad: Readonly<Record<string, KeyPair>>;
}
/** Sent for the message `'counts'`: number of connections and requests of each server. */
export type Counts = Readonly<Record<string, { readonly connections: number; readonly requests: number }>>;

const json = (status: number, body: unknown) => http(status, 'application/json', JSON.stringify(body));
const html = (status: number) => http(status, 'text/html', '<html><h1>Something else</h1></html>');
const page = (status: number, server: string) =>
  http(status, 'text/html', `<center><h1>${status}</h1></center>`, `server: ${server}\r\n`);
const text = (status: number, body: string) => http(status, 'text/plain', body);

function http(status: number, type: string, body: string, more = ''): string {
  return `HTTP/1.1 ${status} Because\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;
}

const status = (code: number, reason: string) =>
  json(code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code });
const version = json(200, { major: '1', minor: '33', gitVersion: 'v1.33.4', platform: 'linux/amd64' });
const namespace = json(200, {
  kind: 'Namespace',
  apiVersion: 'v1',
  metadata: { name: 'kube-system', uid: UID },
});

/** Responses by path: `/readyz`, `/version`, and the namespace. */
type Answers = (path: string) => string;

const byPath =
  (readyz: string, versionAnswer = version, kubeSystem = namespace): Answers =>
  (path) =>
    path.endsWith('/readyz') ? readyz : path.endsWith('/version') ? versionAnswer : kubeSystem;

const ok = text(200, 'ok');
const throttled = text(429, 'Too many requests, please try again later.\n');
const redirect = (to: string) => http(302, 'text/plain', '', `location: ${to}\r\n`);

/** Servers that respond in time with well-formed HTTP. */
const ANSWERING: Readonly<Record<string, Answers>> = {
  healthy: byPath(ok),
  'another-uid': byPath(
    ok,
    version,
    json(200, { kind: 'Namespace', metadata: { name: 'kube-system', uid: UID.replace(/^./, 'f') } }),
  ),
  'no-readyz': byPath(text(404, '404 page not found')),
  unauthorized: () => status(401, 'Unauthorized'),
  forbidden: byPath(ok, version, status(403, 'Forbidden')),
  'forbidden-everywhere': () => status(403, 'Forbidden'),
  throttled: byPath(ok, throttled),
  degraded: byPath(text(500, '[-]etcd failed: reason withheld\n')),
  'not-found': () => html(404),
  'bad-gateway': () => html(502),
  'ok-to-all': () => text(200, 'ok'),
  'rancher-unauthorized': () => json(401, { type: 'error', status: '401', message: 'must authenticate' }),
  'rancher-cluster-unavailable': () =>
    json(503, { type: 'error', status: 503, code: 'ClusterUnavailable', message: 'disconnected' }),
  'rancher-without-the-cluster': () => json(404, { type: 'error', status: '404', message: 'not found' }),
  ...Object.fromEntries(
    [400, 401, 403, 404, 407, 429, 500, 502, 503, 504].map((code) => [
      `nginx-${code}`,
      () => page(code, 'nginx/1.27.0'),
    ]),
  ),
  'google-401': () => page(401, 'Google Frontend'),
  'cloudflare-403': () => page(403, 'cloudflare'),
  'cloudflare-522': () => page(522, 'cloudflare'),
  'aws-503': () => page(503, 'awselb/2.0'),
  'redirect-to-a-login': () => redirect('https://login.example.com/?next=/readyz'),
  'compressed-unasked': () => http(200, 'application/json', 'not deflated', 'content-encoding: gzip\r\n'),
  'healthy-behind-a-login': (path) => (path.endsWith('/version') ? version : page(401, 'nginx')),
  'redirect-to-itself': (path) => redirect(path),
  'redirect-to-metadata': () => redirect('http://169.254.169.254/latest/meta-data/'),
  'echo-uid': byPath(
    ok,
    version,
    json(200, { kind: 'Namespace', metadata: { name: 'kube-system', uid: 'x'.repeat(4_000) } }),
  ),
  'deep-json': () => http(200, 'application/json', `{"gitVersion":${'['.repeat(60_000)}`),
  'close-each': (path) => byPath(ok)(path).replace('\r\n', '\r\nconnection: close\r\n'),
  'big-version': byPath(ok, json(200, { gitVersion: 'v1.33.4', filler: 'x'.repeat(70_000) }), html(404)),
};

/** Behavior of a connection after TLS, once a request has come. */
const MISBEHAVING: Readonly<Record<string, (socket: Socket) => void>> = {
  'hang-on-request': () => undefined,
  'drip-headers': (socket) => drip(socket, `HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(10_000)}`),
  'drip-body': (socket) =>
    drip(socket, 'x'.repeat(10_000), 'HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n'),
  'endless-headers': (socket) =>
    flood(socket, 'HTTP/1.1 200 OK\r\n', `x-more: ${'x'.repeat(1_000)}\r\n`, Number.POSITIVE_INFINITY),
  'endless-hints': (socket) =>
    flood(socket, '', 'HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n', Number.POSITIVE_INFINITY),
  'huge-body': (socket) =>
    flood(socket, `HTTP/1.1 200 OK\r\ncontent-length: ${300 * 1_048_576}\r\n\r\n`, 'x'.repeat(65_536), 4_800),
  'endless-body': (socket) =>
    flood(
      socket,
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',
      `400\r\n${'x'.repeat(1_024)}\r\n`,
      Number.POSITIVE_INFINITY,
    ),
  'gzip-bomb': (socket) =>
    flood(
      socket,
      'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 10485760\r\n\r\n',
      '\0'.repeat(65_536),
      160,
    ),
  'reset-on-request': (socket) => rawOf(socket).resetAndDestroy(),
  'close-on-request': (socket) => socket.end(),
  'reset-in-body': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf');
    setTimeout(() => rawOf(socket).resetAndDestroy(), 20);
  },
  'no-http': (socket) => socket.write('220 mail.example ESMTP\r\n'),
  'split-answer': (socket) =>
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 5\r\n\r\nokxxx'),
};

/** Behavior of a connection before TLS. */
const UNSECURE: Readonly<Record<string, (socket: Socket, count: number) => void>> = {
  'hang-before-tls': () => undefined,
  'hang-in-tls': (socket) =>
    socket.once('data', () => socket.write(Buffer.from([0x16, 3, 3, 0x40, 0, 2, 0]))),
  'drip-in-tls': (socket) =>
    socket.once('data', () => drip(socket, `\x16\x03\x03\x40\x00${'\0'.repeat(5_000)}`)),
  'reset-on-accept': (socket) => socket.resetAndDestroy(),
  'reset-in-tls': (socket) => socket.once('data', () => socket.resetAndDestroy()),
  'close-in-tls': (socket) => socket.once('data', () => socket.end()),
  ssh: (socket) => socket.write('SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n'),
};

export const HANGING = [
  'hang-before-tls',
  'hang-in-tls',
  'drip-in-tls',
  'hang-on-request',
  'drip-headers',
  'drip-body',
];

const sockets = new WeakMap<Socket, Socket>();
const counts: Record<string, { connections: number; requests: number }> = {};

function rawOf(socket: Socket): Socket {
  return sockets.get(socket) ?? socket;
}

function drip(socket: Socket, letters: string, head = ''): void {
  socket.write(head);
  let sent = 0;
  const timer = setInterval(() => socket.write(letters[sent++] ?? '', 'latin1'), 100);
  socket.once('close', () => clearInterval(timer));
}

/** Sends as fast as the other side reads. */
function flood(socket: Socket, head: string, part: string, times: number): void {
  socket.write(head);
  const chunk = Buffer.from(part.repeat(Math.max(1, Math.floor(16_384 / part.length))));
  let left = Math.ceil((times * part.length) / chunk.length);
  const send = () => {
    while (left-- > 0 && !socket.destroyed) if (!socket.write(chunk)) return void socket.once('drain', send);
  };
  send();
}

/** Terminates TLS on every connection, with the certificate that `pair` returns for its number, and passes it on. */
function secure(
  name: string,
  pair: (count: number) => KeyPair,
  serve: (socket: Socket) => void,
  options: TlsOptions = {},
): Server {
  const served = counted(name);
  const inner = new Map<KeyPair, ReturnType<typeof createTlsServer>>();
  return createServer((raw) => {
    raw.on('error', () => undefined);
    served.connections += 1;
    const keys = pair(served.connections);
    let tls = inner.get(keys);
    if (tls === undefined) {
      tls = createTlsServer({ ...keys, ...options, ALPNProtocols: ['http/1.1'] });
      tls.on('tlsClientError', () => undefined);
      tls.on('secureConnection', (socket) => {
        socket.on('error', () => undefined);
        sockets.set(socket, (socket as unknown as { _parent?: Socket })._parent ?? socket);
        serve(socket);
      });
      inner.set(keys, tls);
    }
    tls.emit('connection', raw);
  });
}

function counted(name: string) {
  counts[name] = { connections: 0, requests: 0 };
  return counts[name];
}

/** Calls `on` for every request, with its path. */
function requests(name: string, socket: Socket, on: (path: string) => void): void {
  let received = '';
  socket.on('data', (chunk) => {
    received += String(chunk);
    for (let end = received.indexOf('\r\n\r\n'); end >= 0; end = received.indexOf('\r\n\r\n')) {
      const path = received.split(' ', 2)[1] ?? '';
      received = received.slice(end + 4);
      (counts[name] as { requests: number }).requests += 1;
      on(path);
    }
  });
}

function answering(name: string, answers: Answers) {
  return (socket: Socket) =>
    requests(name, socket, (path) => {
      const answer = answers(path);
      if (answer.includes('connection: close')) socket.end(answer);
      else socket.write(answer);
    });
}

function serversFor({ good, bad }: FleetOrder): Record<string, Server> {
  const servers: Record<string, Server> = {};
  for (const [name, answers] of Object.entries(ANSWERING))
    servers[name] = secure(name, () => good, answering(name, answers));
  for (const [name, misbehave] of Object.entries(MISBEHAVING))
    servers[name] = secure(
      name,
      () => good,
      (socket) => requests(name, socket, () => misbehave(socket)),
    );
  for (const [name, misbehave] of Object.entries(UNSECURE)) {
    const served = counted(name);
    servers[name] = createServer((socket) => {
      socket.on('error', () => undefined);
      served.connections += 1;
      misbehave(socket, served.connections);
    });
  }
  for (const [name, pair] of Object.entries(bad))
    servers[name] = secure(name, () => pair, answering(name, byPath(ok)));
  servers['changing-certificate'] = secure(
    'changing-certificate',
    (count) => (count === 1 ? good : (bad['stranger'] as KeyPair)),
    answering('changing-certificate', (path) =>
      byPath(ok)(path).replace('\r\n', '\r\nconnection: close\r\n'),
    ),
  );
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const name = `wants-a-certificate-${maxVersion}`;
    const options = { requestCert: true, rejectUnauthorized: true, ca: good.cert, maxVersion };
    servers[name] = secure(name, () => good, answering(name, byPath(ok)), options);
  }
  servers['reset-once'] = secure(
    'reset-once',
    () => good,
    (socket) => {
      if (counts['reset-once']?.connections === 1) rawOf(socket).resetAndDestroy();
      else answering('reset-once', byPath(ok))(socket);
    },
  );
  servers['hang-after-version'] = secure(
    'hang-after-version',
    () => good,
    (socket) =>
      requests('hang-after-version', socket, (path) => {
        if (!path.includes('namespaces')) socket.write(byPath(ok)(path));
      }),
  );
  servers['plain-http'] = createHttpServer((_, answer) => answer.end('ok')) as unknown as Server;
  servers['http2-only'] = createSecureServer({ ...good, allowHTTP1: false }) as unknown as Server;
  return servers;
}

async function serve(order: FleetOrder): Promise<Record<string, number>> {
  const ports: Record<string, number> = {};
  for (const [name, server] of Object.entries(serversFor(order))) {
    await new Promise<void>((resolve) =>
      server.listen({ host: order.address, port: 0, backlog: 4_096 }, resolve),
    );
    ports[name] = (server.address() as AddressInfo).port;
  }
  return ports;
}

if (import.meta.main && process.send !== undefined) {
  const send = process.send.bind(process);
  process.on('message', (message: FleetOrder | 'counts') => {
    if (message === 'counts') send(counts);
    else void serve(message).then(send);
  });
  process.on('disconnect', () => process.exit(0));
}
