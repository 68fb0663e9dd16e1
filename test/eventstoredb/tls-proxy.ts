import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createServer } from 'node:tls';
import type { KeyPair } from '../support/pki.ts';

/** A TLS server that passes everything on to a port of this host, as if the double used TLS. */
export interface TlsProxy {
  readonly port: number;
  close(): void;
}

export async function startTlsProxy(targetPort: number, pair: KeyPair): Promise<TlsProxy> {
  const server = createServer({ ...pair, ALPNProtocols: ['h2'] }, (socket) => {
    const target = connect(targetPort, '127.0.0.1');
    socket.pipe(target).pipe(socket);
    socket.on('error', () => target.destroy());
    target.on('error', () => socket.destroy());
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}
