import { LocalServer } from './local-server.ts';
import { SeededRandom } from './seeded-random.ts';

const FAILURE_PROBABILITY = 0.1;

/** Starts a server that plays a billing service that receives webhooks, and that is restarted now and then. */
export function startBillingReceiver(): Promise<LocalServer> {
  const random = new SeededRandom('billing service');
  return LocalServer.start((request, response) => {
    request.resume().once('end', () => {
      response.writeHead(random.chance(FAILURE_PROBABILITY) ? 503 : 204).end();
    });
  });
}
