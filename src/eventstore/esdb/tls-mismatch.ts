import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionSettings } from './connection-settings.ts';

const ANSWER_MS = 2_000;

/** The beginning of an HTTP/2 connection: the preface and an empty SETTINGS frame (RFC 9113, section 3.4). */
const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
const FRAME_TYPE_OFFSET = 3;
const SETTINGS = 4;

/**
 * Returns what to do if the ledger uses TLS and the server does not, or the other way around. The client reports only that it
 * failed to connect. Returns `undefined` if both agree, or the server does not answer.
 */
export async function tlsMismatch({ isTls, host, port }: ConnectionSettings): Promise<string | undefined> {
  const server = `the server at ${host}:${port}`;
  if (!isTls && (await speaksTls(host, port)))
    return `${server} requires TLS: remove tls=false from LEDGER_STORE, and name the certificate of its authority with tlsCaFile`;
  if (isTls && !(await speaksTls(host, port)) && (await speaksHttp2(host, port)))
    return `${server} does not use TLS: add tls=false to LEDGER_STORE, or configure certificates on the server`;
  return undefined;
}

function speaksTls(host: string, port: number): Promise<boolean> {
  const socket = connectTls({
    host,
    port,
    servername: isIP(host) === 0 ? host : '',
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
  });
  return answerOf(socket, (answer) => socket.once('secureConnect', () => answer(true)));
}

function speaksHttp2(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  socket.once('connect', () => socket.write(HTTP2_PREFACE));
  return answerOf(socket, (answer) =>
    socket.once('data', (data: Buffer) => answer(data[FRAME_TYPE_OFFSET] === SETTINGS)),
  );
}

/** Waits for an answer; an error, the end of the connection and silence mean `false`. */
async function answerOf(socket: Socket, wait: (answer: (is: boolean) => void) => void): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  wait(resolve);
  socket.on('error', () => resolve(false));
  socket.once('close', () => resolve(false));
  socket.setTimeout(ANSWER_MS, () => resolve(false));
  const is = await promise;
  socket.destroy();
  return is;
}
