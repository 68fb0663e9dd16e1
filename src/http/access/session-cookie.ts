/** The cookies of sessions. Only the ledger reads them: no script, and no page of another site. */
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Purpose of a cookie: a session, or a sign-in at an identity provider that is in progress. */
export type CookieUse = 'session' | 'sign-in';

type Asked = Pick<FastifyRequest, 'headers' | 'host' | 'protocol'>;

/**
 * Sets a cookie with a sealed text, or removes it.
 * @param seconds how long the browser keeps the cookie.
 */
export function setCookie(
  request: Asked,
  reply: FastifyReply,
  use: CookieUse,
  value: string,
  seconds: number,
): void {
  const isSecure = isHttps(request);
  const secure = isSecure ? '; Secure' : '';
  reply.header(
    'set-cookie',
    `${nameOf(use, request, isSecure)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`,
  );
}

/** Removes a cookie from the browser. */
export function clearCookie(request: Asked, reply: FastifyReply, use: CookieUse): void {
  setCookie(request, reply, use, '', 0);
}

/**
 * Returns the value of a cookie; `undefined` if the request has none. With https, only the cookie counts that no other host could
 * have set.
 */
export function cookieOf(request: Asked, use: CookieUse): string | undefined {
  const { cookie } = request.headers;
  if (cookie === undefined) return undefined;
  const pairs = cookie.split(/; */).map((pair) => pair.split('='));
  const read = (name: string) => pairs.find(([key]) => key === name)?.[1];
  const secure = read(nameOf(use, request, true));
  return (secure ?? (isHttps(request) ? undefined : read(nameOf(use, request, false)))) || undefined;
}

/**
 * Returns whether the browser uses https. A page says it in `Origin`, also if a proxy ends TLS and the ledger does not know the
 * proxy.
 */
function isHttps({ headers: { origin }, host, protocol }: Asked): boolean {
  if (protocol === 'https') return true;
  const page = origin === undefined ? null : URL.parse(origin);
  return page?.protocol === 'https:' && page.host === host.toLowerCase();
}

/**
 * Returns the name of a cookie. Browsers let only the same host set a cookie with the prefix `__Host-`, and only with https.
 * Without it the name has the port, since browsers do not keep the cookies of ports apart.
 */
function nameOf(use: CookieUse, { host }: Asked, isSecure: boolean): string {
  if (isSecure) return `__Host-ledger-${use}`;
  const port = /:(\d+)$/.exec(host)?.[1];
  return port === undefined ? `ledger-${use}` : `ledger-${use}-${port}`;
}
