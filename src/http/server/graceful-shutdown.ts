import type { App, HttpServices } from './app.ts';

/**
 * Makes closing wait for requests that are being answered. Long polls end at once, and connections of clients that have
 * stopped in the middle of a request are closed.
 */
export function closeOnceAnswered(app: App, { projections }: HttpServices): void {
  let answering = 0;
  let isClosing = false;
  const closeIfIdle = () => {
    if (isClosing && answering === 0) app.server.closeAllConnections();
  };
  app.addHook('preHandler', (_, { raw }, done) => {
    answering++;
    // Also emitted if the client disconnects before the answer.
    raw.once('close', () => {
      answering--;
      if (isClosing) setImmediate(closeIfIdle);
    });
    done();
  });
  app.addHook('preClose', async () => {
    isClosing = true;
    projections.stopWaiting();
    setImmediate(closeIfIdle);
  });
}
