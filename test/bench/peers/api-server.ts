import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { KeyPair } from '../../support/pki.ts';

/** An API server that is well and answers at once, in a process of its own: what is measured is who asks. */

const ANSWERS: Readonly<Record<string, readonly [type: string, body: string]>> = {
  '/readyz': ['text/plain', 'ok'],
  '/version': ['application/json', JSON.stringify({ major: '1', minor: '33', gitVersion: 'v1.33.4' })],
  '/version/': ['application/json', JSON.stringify({ major: '1', minor: '33', gitVersion: 'v1.33.4' })],
  '/api/v1/namespaces/kube-system': [
    'application/json',
    JSON.stringify({
      kind: 'Namespace',
      apiVersion: 'v1',
      metadata: { name: 'kube-system', uid: '0b9f5b8e-5b0a-4a8e-9d59-0c2f6f1f7c11' },
    }),
  ],
};

if (process.send !== undefined) {
  const send = process.send.bind(process);
  process.once('message', (keys: KeyPair) => {
    const server = createServer(keys, (request, response) => {
      const [type, body] = ANSWERS[request.url ?? ''] ?? ['text/plain', ''];
      response.writeHead(body === '' ? 404 : 200, { 'content-type': type }).end(body);
    });
    server.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 }, () =>
      send((server.address() as AddressInfo).port),
    );
  });
  process.on('disconnect', () => process.exit(0));
}
