import rateLimit from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import { LOCAL_OPERATOR } from '../../domain/access/caller.ts';
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
    max,
    timeWindow: WINDOW_MS,
    addHeaders: NO_HEADERS,
    addHeadersOnExceeding: NO_HEADERS,
    keyGenerator: ({ caller, ip }: FastifyRequest) => (caller as typeof caller | undefined)?.actor ?? ip,
    allowList: ({ caller }: FastifyRequest) =>
      (caller as typeof caller | undefined) === undefined || caller === LOCAL_OPERATOR,
    errorResponseBuilder: (_, { ttl }) => tooMany('this key has sent too many requests', ttl),
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
