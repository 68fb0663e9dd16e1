import type { FastifyRequest } from 'fastify';
import type { App } from '../server/app.ts';
import type { OpenAnswers } from './open-answers.ts';

/** How often the callers of open answers are checked. */
const CHECK_INTERVAL_MS = 20_000;

/** Adds every answer of a server to the open ones, and checks these until the server closes. */
export function watchAnswers(app: App, answers: OpenAnswers): void {
  app.addHook('preHandler', (request: FastifyRequest, { raw }, done) => {
    // Public routes have no caller.
    answers.add(raw, request.caller as typeof request.caller | undefined);
    done();
  });
  const timer = setInterval(() => void answers.check(), CHECK_INTERVAL_MS).unref();
  app.addHook('onClose', async () => clearInterval(timer));
}
