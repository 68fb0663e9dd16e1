import { request } from 'node:http';
import { connect } from 'node:net';

/** The bytes of an answer. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Writes bytes to a fresh connection and reads until the ledger closes it. */
export function exchange(port: number, bytes: string | Buffer): Promise<RawAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A reset after the answer is as good as an end.
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    try {
      resolve(parse(Buffer.concat(chunks).toString('utf8')));
    } catch (error) {
      reject(error);
    }
  });
  return promise;
}

function parse(answer: string): RawAnswer {
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
  if (Number.isNaN(status)) throw new Error(`no HTTP answer: ${JSON.stringify(answer.slice(0, 200))}`);
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status, headers: Object.fromEntries(headers), body: rest.join('\r\n\r\n') };
}

/** A request with headers that `fetch` would not send, such as `Host`. */
export function requestWith(
  port: number,
  {
    path,
    method = 'GET',
    headers,
  }: { path: string; method?: string; headers: Record<string, string | string[]> },
  body?: string | Buffer,
): Promise<RawAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const sent = request({ port, host: '127.0.0.1', path, method, headers, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () =>
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers as Record<string, string>,
        body: Buffer.concat(chunks).toString('utf8'),
      }),
    );
  });
  sent.on('error', reject);
  sent.end(body);
  return promise;
}
