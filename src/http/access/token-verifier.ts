import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import type { OidcIssuer } from '../../config/access-settings.ts';
import type { Caller, Role } from '../../domain/access/caller.ts';
import { AccountId } from '../../domain/facts/fact.ts';
import { MINUTE_MS, SECOND_MS } from '../../domain/time.ts';
import { Problem } from '../server/problem.ts';

/** Signature algorithms. None of them is symmetric, so a public key can never be used as a secret. */
const ALGORITHMS = ['RS256', 'ES256', 'EdDSA', 'Ed25519'];
const CLOCK_TOLERANCE_S = 60;
const FETCH_TIMEOUT_MS = 5 * SECOND_MS;
const MAX_TOKEN_CHARS = 8_192;
/** A token in compact form (RFC 7515, section 7.1). Decoders of base64url also accept padding and other characters. */
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** The order in which roles are chosen if a token has several. */
const BY_RANK = ['operator', 'auditor', 'billing', 'producer', 'customer'] as const satisfies readonly Role[];

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

/**
 * Verifies access tokens (JWTs) of one OpenID Connect issuer. Only keys of the configured issuer count: the headers `jku`, `x5u`
 * and `jwk` are ignored. `iss` and `aud` must be strings that equal the settings exactly. Nothing is cached by claims.
 */
export class TokenVerifier {
  readonly #settings: OidcIssuer;
  readonly #now: () => number;
  #keys: Promise<JWTVerifyGetKey> | undefined;

  /** @param now milliseconds since the epoch. */
  constructor(settings: OidcIssuer, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  /**
   * Returns the caller that a token names.
   * @throws Problem `unauthenticated` if the token is not valid, `forbidden` if it has no role, `issuer-unavailable`
   */
  async callerOf(token: string): Promise<Caller> {
    return this.callerFrom(await this.#verify(token));
  }

  async #verify(token: string): Promise<JWTPayload> {
    const { issuer, audience, tokenType } = this.#settings;
    if (token.length > MAX_TOKEN_CHARS) throw invalid(`it is longer than ${MAX_TOKEN_CHARS} characters`);
    if (!COMPACT.test(token)) throw invalid('it is not a JSON Web Token in compact form');
    try {
      const { payload, protectedHeader } = await jwtVerify(token, await this.#getKeys(), {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(this.#now()),
        requiredClaims: ['exp', 'sub'],
      });
      if (typeof payload.iss !== 'string' || typeof payload.aud !== 'string')
        throw invalid('iss and aud must be strings');
      if (typeof payload.sub !== 'string' || payload.sub === '') throw invalid('sub must be a string');
      requireAccessToken(protectedHeader.typ, payload, tokenType);
      return payload;
    } catch (error) {
      if (error instanceof Problem) throw error;
      if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError))
        throw unavailable(issuer, error);
      throw invalid(error.message, error);
    }
  }

  #getKeys(): Promise<JWTVerifyGetKey> {
    this.#keys ??= this.#findKeys().catch((error: unknown) => {
      this.#keys = undefined;
      throw error;
    });
    return this.#keys;
  }

  async #findKeys(): Promise<JWTVerifyGetKey> {
    const { jwksUri } = this.#settings;
    const url = new URL(jwksUri ?? (await this.#discover()));
    return createRemoteJWKSet(url, {
      timeoutDuration: FETCH_TIMEOUT_MS,
      cooldownDuration: MINUTE_MS,
      cacheMaxAge: 10 * MINUTE_MS,
    });
  }

  /** Returns the address of the keys (OpenID Connect Discovery 1.0, section 4). */
  async #discover(): Promise<string> {
    const { issuer } = this.#settings;
    const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
      redirect: 'error',
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    const found = Discovery.safeParse(await response.json()).data;
    if (found?.issuer !== issuer) throw new Error('the discovery document is not that of the issuer');
    return found.jwks_uri;
  }

  /**
   * Returns the caller that the claims of a verified token name.
   * @throws Problem `forbidden` if the token has no role, or no account for a customer
   */
  callerFrom(payload: JWTPayload): Caller {
    const { roleClaim, roles, accountClaim } = this.#settings;
    const actor = `${payload.iss}#${payload.sub}`;
    const expiresAt = (payload.exp as number) * 1_000;
    const values = [claimAt(payload, roleClaim)].flat().filter((value) => typeof value === 'string');
    const granted = new Set(values.flatMap((value) => (Object.hasOwn(roles, value) ? [roles[value]] : [])));
    const role = BY_RANK.find((candidate) => granted.has(candidate));
    if (role === undefined)
      throw new Problem(
        'forbidden',
        `the token of ${payload.sub} has no role: the claim ${roleClaim} must hold one of ${Object.keys(roles).join(', ')}`,
      );
    if (role !== 'customer') return { actor, role, expiresAt };
    const accountId = AccountId.safeParse(claimAt(payload, accountClaim)).data;
    if (accountId === undefined)
      throw new Problem(
        'forbidden',
        `the token of a customer needs an account id in the claim ${accountClaim}`,
      );
    return { actor, role, accountId, expiresAt };
  }
}

/** Rejects tokens for other uses, such as ID tokens, which any client of the issuer holds. @throws Problem `unauthenticated` */
function requireAccessToken(typ: unknown, payload: JWTPayload, expected: OidcIssuer['tokenType']): void {
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : undefined;
  if (expected === 'at+jwt') {
    if (type !== 'at+jwt') throw invalid('it is not an access token: its header typ is not at+jwt');
    return;
  }
  if (type !== undefined && type !== 'jwt' && type !== 'at+jwt')
    throw invalid(`it is not an access token: its header typ is ${String(typ)}`);
  const isIdToken =
    payload['typ'] === 'ID' || 'nonce' in payload || 'at_hash' in payload || 'c_hash' in payload;
  if (isIdToken) throw invalid('it is an ID token, not an access token');
}

function claimAt(payload: JWTPayload, path: string): unknown {
  if (Object.hasOwn(payload, path)) return payload[path];
  let value: unknown = payload;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function invalid(why: string, cause?: unknown): Problem {
  return new Problem('unauthenticated', `the token is not valid: ${why}`, { cause });
}

function unavailable(issuer: string, cause: unknown): Problem {
  const detail = `the keys of ${issuer} cannot be read, so the token cannot be checked; nothing was recorded`;
  return new Problem('issuer-unavailable', detail, { retryAfterSeconds: 5, cause });
}
