import { Socket } from 'node:net';
import type { App } from './app.ts';

/**
 * Hands the answers of one turn of the event loop to the system one after the other, at the end of the turn. A client that sleeps
 * on another processor is then woken once for all of them. Waking it takes longer than writing an answer.
 */
export function collectAnswers(app: App): void {
  let corked: Socket[] = [];
  let isClosing = false;
  const uncorkAll = () => {
    const sockets = corked;
    corked = [];
    for (const socket of sockets) Socket.prototype.uncork.call(socket);
  };
  // Node.js keeps what is written to a connection until it calls this method, at the end of each answer.
  function uncork(this: Socket): void {
    if (isClosing) Socket.prototype.uncork.call(this);
    else if (corked.push(this) === 1) setImmediate(uncorkAll);
  }
  app.server.on('connection', (socket: Socket) => {
    socket.uncork = uncork;
  });
  // A server that closes destroys the connections whose answers have ended, with what was not handed over.
  app.addHook('preClose', async () => {
    isClosing = true;
    uncorkAll();
  });
}
