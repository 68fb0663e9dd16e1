import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Folder of the built console. */
export const CONSOLE_FOLDER = join(import.meta.dirname, '../../../dist/console');

/** Text of the page that the nonce of each answer replaces. See web/vite.config.ts. */
const NONCE_PLACEHOLDER = '__CSP_NONCE__';

/** Paths that belong to programs. A browser that opens an unknown path below them gets the problem, not the console. */
const OF_PROGRAMS = /^\/(v1|log|docs|assets|livez|readyz|metrics|openapi\.json)(\/|$)/;

/** The page of the console. It is the same for every path; its script shows what the path names. */
export class ConsolePage {
  readonly #html: string;

  constructor(html: string) {
    this.#html = html;
  }

  /** Returns whether a request for a path without a route is for a page of the console: a browser opens it. */
  isFor({
    method,
    url,
    headers: { accept = '' },
  }: Pick<FastifyRequest, 'method' | 'url' | 'headers'>): boolean {
    const [path = ''] = url.split('?');
    return (method === 'GET' || method === 'HEAD') && accept.includes('text/html') && !OF_PROGRAMS.test(path);
  }

  /** Answers with the page. Its policy allows scripts and styles of this origin, and elements that have its nonce. */
  send(reply: FastifyReply): FastifyReply {
    const nonce = randomBytes(18).toString('base64url');
    return reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', policyWith(nonce))
      .header('cache-control', 'no-store')
      .send(this.#html.replaceAll(NONCE_PLACEHOLDER, nonce));
  }
}

function policyWith(nonce: string): string {
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Reads the page of the console; `undefined` if the console is not built, and only the API is served. */
export function readConsolePage(): ConsolePage | undefined {
  try {
    return new ConsolePage(readFileSync(join(CONSOLE_FOLDER, 'index.html'), 'utf8'));
  } catch {
    return undefined;
  }
}
