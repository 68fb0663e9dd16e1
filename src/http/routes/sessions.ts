import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SessionOut, SignInBegunOut, SignInEndedOut } from '../../api/session.ts';
import { type Caller, LOCAL_OPERATOR } from '../../domain/access/caller.ts';
import type { IdentityProvider } from '../access/identity-provider.ts';
import { limitSignIns } from '../access/rate-limits.ts';
import { scopeOf } from '../access/route-access.ts';
import type { SessionClaims } from '../access/sealed-sessions.ts';
import { clearCookie, cookieOf, setCookie } from '../access/session-cookie.ts';
import { answer, problems } from '../contract.ts';
import { instantOut } from '../params/fields.ts';
import type { App, HttpServices } from '../server/app.ts';
import { Problem } from '../server/problem.ts';

const tags = ['Sessions'];
const headers = ['Set-Cookie'] as const;

/** Paths of this server only: a sign-in leads to no other site. */
const LocalPath = z
  .string()
  .max(2_000)
  .refine(isLocalPath, 'must be a path of the console, such as /clusters')
  .default('/');

function isLocalPath(text: string): boolean {
  const base = 'http://ledger.invalid';
  const isPath = /^\/(?![/\\])[\x21-\x7e]*$/.test(text);
  return isPath && URL.parse(text, base)?.origin === base;
}

const getSchema = {
  operationId: 'getSession',
  tags,
  summary: 'Get who is signed in, and what this caller may do',
  description: 'Answers also if nobody is signed in, and says how to sign in.',
  response: {
    200: answer('The caller, or nobody.', SessionOut),
    ...problems('store-unavailable', 'issuer-unavailable'),
  },
};

const createSchema = {
  operationId: 'createSession',
  tags,
  summary: 'Sign in with an API key',
  description:
    'Sets a cookie that only the ledger can read. The session ends after 8 hours, and when its key expires or is revoked.',
  body: z.strictObject({
    key: z
      .string()
      .min(1, 'must be an API key')
      .max(300)
      .describe('An API key, `clk_<id>_<secret>`, or the bootstrap key.'),
  }),
  response: {
    201: answer('The session.', SessionOut, { headers }),
    ...problems('unauthenticated', 'rate-limited', 'store-unavailable'),
  },
};

const beginSchema = {
  operationId: 'beginSignIn',
  tags,
  summary: 'Begin to sign in at the identity provider',
  description:
    'Lead the browser to the address in the answer. The identity provider leads it back to the page `/sign-in` of the console, with a query that ends the sign-in. A sign-in must end within 10 minutes, in the same browser.',
  body: z.strictObject({
    returnTo: LocalPath.describe('The path of the console to show after the sign-in.'),
  }),
  response: {
    200: answer('Where to sign in.', SignInBegunOut, { headers }),
    ...problems('no-identity-provider', 'issuer-unavailable', 'rate-limited'),
  },
};

const endSchema = {
  operationId: 'endSignIn',
  tags,
  summary: 'End a sign-in at the identity provider, which begins a session',
  description: 'Sets a cookie that only the ledger can read. The session ends after 8 hours.',
  body: z.strictObject({
    response: z
      .string()
      .min(1, 'must be the query of the sign-in page')
      .max(8_192)
      .describe('The query that the identity provider added to the address of the sign-in page.'),
  }),
  response: {
    201: answer('The session.', SignInEndedOut, { headers }),
    ...problems(
      'sign-in-failed',
      'unauthenticated',
      'forbidden',
      'no-identity-provider',
      'issuer-unavailable',
      'rate-limited',
    ),
  },
};

const deleteSchema = {
  operationId: 'deleteSession',
  tags,
  summary: 'Sign out',
  description: 'Removes the cookie of the session from the browser. Without a session, nothing changes.',
  response: {
    204: answer('Nobody is signed in.', z.null(), { headers }),
    ...problems(),
  },
};

const config = { access: 'public' } as const;

/** Adds the routes by which people sign in with a browser, and sign out. */
export function sessionRoutes(app: App, services: HttpServices): void {
  const { access, sessions, identityProvider } = services;
  const countSignIn = limitSignIns(app);

  app.get('/v1/session', { config, schema: getSchema }, async (request, reply) => {
    reply.header('cache-control', 'no-store');
    return sessionOut(services, app, await callerOrNobody(services, request));
  });

  app.post('/v1/session', { config, schema: createSchema }, async (request, reply) => {
    await countSignIn(request);
    const { caller, claims } = await access.signIn(request.body.key);
    const endsAt = await start(request, reply, claims, caller);
    return reply.code(201).send(sessionOut(services, app, { ...caller, expiresAt: endsAt }));
  });

  app.post('/v1/session/sign-in', { config, schema: beginSchema }, async (request, reply) => {
    await countSignIn(request);
    const provider = requireProvider(identityProvider);
    const { url, pending } = await provider.begin(originOf(request), request.body.returnTo);
    const { text, seconds } = await sessions.keepPending(pending);
    setCookie(request, reply, 'sign-in', text, seconds);
    reply.header('cache-control', 'no-store');
    return { authorizationUrl: url };
  });

  app.post('/v1/session/sign-in/end', { config, schema: endSchema }, async (request, reply) => {
    await countSignIn(request);
    const provider = requireProvider(identityProvider);
    const kept = cookieOf(request, 'sign-in');
    const pending = kept === undefined ? undefined : await sessions.openPending(kept);
    if (pending === undefined)
      throw new Problem(
        'sign-in-failed',
        'this browser has begun no sign-in in the last 10 minutes: begin again',
      );
    const person = await provider.complete(request.body.response, pending);
    const expiresAt = await start(request, reply, { via: 'identity-provider', ...person }, {});
    clearCookie(request, reply, 'sign-in');
    const session = sessionOut(services, app, { ...person, expiresAt });
    return reply.code(201).send({ ...session, returnTo: pending.returnTo });
  });

  app.delete('/v1/session', { config, schema: deleteSchema }, async (request, reply) => {
    clearCookie(request, reply, 'session');
    return reply.code(204).send(null);
  });

  /** Starts a session in the browser; returns when it ends. */
  async function start(
    request: FastifyRequest,
    reply: FastifyReply,
    claims: SessionClaims,
    caller: Pick<Caller, 'expiresAt'>,
  ): Promise<number> {
    const { text, endsAt, seconds } = await sessions.start(claims, caller);
    setCookie(request, reply, 'session', text, seconds);
    reply.header('cache-control', 'no-store').header('location', '/v1/session');
    return endsAt;
  }
}

/** @throws Problem `no-identity-provider` */
function requireProvider(provider: IdentityProvider | undefined): IdentityProvider {
  if (provider !== undefined) return provider;
  throw new Problem('no-identity-provider', 'set oidc.issuer and oidc.clientId, or sign in with an API key');
}

/** Returns the caller of a public route; `undefined` if there is none, or the credential is not valid. */
async function callerOrNobody(
  { access }: HttpServices,
  request: FastifyRequest,
): Promise<Caller | undefined> {
  try {
    return await access.callerOf(request);
  } catch (error) {
    if (error instanceof Problem && (error.code === 'unauthenticated' || error.code === 'forbidden'))
      return undefined;
    throw error;
  }
}

/** Returns the origin of the console: as the browser names it, since a proxy may end TLS. */
function originOf({ headers: { origin }, protocol, host }: FastifyRequest): string {
  return origin !== undefined && URL.parse(origin) !== null ? origin : `${protocol}://${host}`;
}

function sessionOut(
  { identityProvider }: HttpServices,
  app: App,
  caller: Caller | undefined,
): z.input<typeof SessionOut> {
  const provider =
    identityProvider === undefined ? {} : { identityProvider: { issuer: identityProvider.issuer } };
  if (caller === undefined) return { state: 'signed-out', may: [], ...provider };
  const { actor, role, accountId, name, expiresAt } = caller;
  const may = app.routeAccess.filter(({ access }) => scopeOf(access, role) !== undefined);
  return {
    state: caller === LOCAL_OPERATOR ? 'open' : 'signed-in',
    caller: {
      actor,
      role,
      ...(accountId !== undefined && { accountId }),
      ...(name !== undefined && { name }),
    },
    ...(expiresAt !== undefined && { endsAt: instantOut(expiresAt) }),
    may: [...new Set(may.flatMap(({ operationId }) => operationId ?? []))].sort(),
    ...provider,
  };
}
