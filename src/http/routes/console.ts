import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { CONSOLE_FOLDER, type ConsolePage } from '../console/console-page.ts';
import type { App } from '../server/app.ts';

const YEAR_MS = 365 * 24 * 60 * 60 * 1_000;

/** A browser does not ask again for a script that was refused: the page would stay empty. */
const config = { access: 'public', alwaysAnswers: true } as const;

/**
 * Adds the page of the console and its files. The names of the files change with their content, so browsers keep them.
 * @param page absent if the console is not built
 */
export async function consoleRoutes(app: App, page: ConsolePage | undefined): Promise<void> {
  await app.register(fastifyStatic, { serve: false, preCompressed: true });
  app.get('/', { config, schema: { hide: true } }, async (request, reply) =>
    page?.isFor(request) === true ? page.send(reply) : reply.redirect('/docs'),
  );
  app.get('/assets/*', { config, schema: { hide: true } }, ({ params }, reply) => {
    const { '*': name } = params as { readonly '*': string };
    return reply.sendFile(name, join(CONSOLE_FOLDER, 'assets'), { maxAge: YEAR_MS, immutable: true });
  });
}
