import rateLimit from '@fastify/rate-limit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Caller, LOCAL_OPERATOR } from '../../domain/access/caller.ts';
import { MINUTE_MS } from '../../domain/time.ts';
import type { App } from '../server/app.ts';
import { Problem } from '../server/problem.ts';

const WINDOW_MS = 10_000;

/** The problem has the only header that clients need, `Retry-After`. */
const NO_HEADERS = {
  'x-ratelimit-limit': false,
  'x-ratelimit-remaining': false,
  'x-ratelimit-reset': false,
  'retry-after': false,
} as const;

/**
 * Limits the requests of each key. Public routes and local requests without keys have no limit.
 * @param max maximum number of requests in 10 seconds.
 */
export async function limitRates(app: App, max: number): Promise<void> {
  await app.register(rateLimit, {
    global: false,
    max,
    timeWindow: WINDOW_MS,
    addHeaders: NO_HEADERS,
    addHeadersOnExceeding: NO_HEADERS,
    keyGenerator: ({ caller }: FastifyRequest) => caller.actor,
    errorResponseBuilder: (_, { ttl }) => tooMany('this key has sent too many requests', ttl),
  });
  const limited = app.rateLimit() as (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
  // The list of exceptions of the package is looked at after three waits.
  app.addHook('onRequest', (request, reply, done) => {
    const caller = request.caller as Caller | undefined;
    if (caller === undefined || caller === LOCAL_OPERATOR) return done();
    limited.call(app, request, reply).then(() => done(), done);
  });
}

/**
 * Returns a function that counts a request with a wrong credential.
 * @param max maximum number of such requests from one address in 10 seconds.
 * @throws Problem `rate-limited` from the function if the address has sent too many.
 */
export function limitFailures(app: App, max: number): (request: FastifyRequest) => Promise<void> {
  let check: ReturnType<App['createRateLimit']> | undefined;
  return async (request) => {
    const keyGenerator = ({ ip }: FastifyRequest) => `failed ${ip}`;
    check ??= app.createRateLimit({ max, timeWindow: WINDOW_MS, keyGenerator, allowList: [] });
    const counted = await check(request);
    if (!counted.isAllowed && counted.isExceeded)
      throw tooMany('this address has sent too many wrong credentials', counted.ttl);
  };
}

/** Maximum number of sign-ins from one address in a minute. */
const SIGN_INS = 60;

/**
 * Returns a function that counts a sign-in, before its credential is looked at.
 * @throws Problem `rate-limited` from the function if the address has sent too many.
 */
export function limitSignIns(app: App): (request: FastifyRequest) => Promise<void> {
  let check: ReturnType<App['createRateLimit']> | undefined;
  return async (request) => {
    const keyGenerator = ({ ip }: FastifyRequest) => `sign-in ${ip}`;
    check ??= app.createRateLimit({ max: SIGN_INS, timeWindow: MINUTE_MS, keyGenerator, allowList: [] });
    const counted = await check(request);
    if (!counted.isAllowed && counted.isExceeded)
      throw tooMany('this address has tried to sign in too often', counted.ttl);
  };
}

function tooMany(why: string, ttl: number): Problem {
  const retryAfterSeconds = Math.max(1, Math.ceil(ttl / 1_000));
  return new Problem('rate-limited', `${why}; nothing was recorded`, { retryAfterSeconds });
}
