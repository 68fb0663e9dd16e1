import type { App, HttpServices } from './app.ts';

/**
 * Makes closing wait for requests that are being answered. Long polls end at once, and connections of clients that have
 * stopped in the middle of a request are closed.
 */
export function closeOnceAnswered(app: App, { projections, openAnswers }: HttpServices): void {
  const closeIfIdle = () => {
    if (openAnswers.count === 0) app.server.closeAllConnections();
  };
  app.addHook('preClose', async () => {
    openAnswers.onEnd(() => setImmediate(closeIfIdle));
    projections.stopWaiting();
    setImmediate(closeIfIdle);
  });
}
