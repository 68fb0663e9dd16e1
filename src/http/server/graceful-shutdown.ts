import type { App, HttpServices } from './app.ts';

/** Closing waits for what is being answered, and neither for news nor for clients that have stopped in the middle. */
export function closeOnceAnswered(app: App, { projections }: HttpServices): void {
  let answering = 0;
  let isClosing = false;
  const letGo = () => {
    if (isClosing && answering === 0) app.server.closeAllConnections();
  };
  app.addHook('preHandler', (_, { raw }, done) => {
    answering++;
    // Also where the client went away before it was answered.
    raw.once('close', () => {
      answering--;
      if (isClosing) setImmediate(letGo);
    });
    done();
  });
  app.addHook('preClose', async () => {
    isClosing = true;
    projections.stopWaiting();
    setImmediate(letGo);
  });
}
