import { hash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { type AccessKey, keyState } from '../../domain/access/access-key.ts';
import { type Caller, LOCAL_OPERATOR } from '../../domain/access/caller.ts';
import type { AccessKeys } from '../../ledger/access-keys.ts';
import { parseKeyText } from '../../ledger/key-text.ts';
import type { KeyUses } from '../../ledger/key-uses.ts';
import { Problem } from '../server/problem.ts';
import type { Authenticator } from './authenticator.ts';
import type { Session, SessionClaims, Sessions } from './sealed-sessions.ts';
import { cookieOf } from './session-cookie.ts';
import type { TokenVerifier } from './token-verifier.ts';

/** The caller that presents the bootstrap key. */
const BOOTSTRAP: Caller = { actor: 'bootstrap', role: 'operator' };

interface Dependencies {
  readonly keys: AccessKeys;
  readonly uses: KeyUses;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Secret that counts as the key of an operator until the first key of an operator exists. */
  readonly bootstrapKey: string | undefined;
  /** Absent if no issuer of tokens is configured. */
  readonly tokens: TokenVerifier | undefined;
  /** The sessions of browsers. */
  readonly sessions: Sessions;
  /** Whether the server listens only on loopback addresses. */
  readonly isLoopback: boolean;
  /** Whether every caller is an operator, because the requests come from this process itself. */
  readonly isInProcess: boolean;
}

/**
 * Identifies callers: by API keys, by the bootstrap key, by tokens of an OpenID Connect issuer, and by sessions of browsers, which
 * began with one of them. While there is none of them, every caller is an operator, and the server listens only on loopback
 * addresses.
 */
export class AccessControl implements Authenticator {
  readonly #dependencies: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /** Whether it is known, without asking the store, that requests need a credential. */
  get isKnownToBeClosed(): boolean {
    const { keys, bootstrapKey, tokens, isLoopback, isInProcess } = this.#dependencies;
    if (isInProcess) return false;
    return !isLoopback || bootstrapKey !== undefined || tokens !== undefined || keys.isAnyKnown;
  }

  get onlyCaller(): Caller | undefined {
    const { keys, isInProcess } = this.#dependencies;
    return isInProcess || (!this.isKnownToBeClosed && keys.isKnownToBeEmpty) ? LOCAL_OPERATOR : undefined;
  }

  /** Returns whether requests need no credential. @throws StoreUnavailable */
  async isOpen(): Promise<boolean> {
    const { keys, bootstrapKey, tokens, isLoopback, isInProcess } = this.#dependencies;
    if (isInProcess) return true;
    if (!isLoopback || bootstrapKey !== undefined || tokens !== undefined) return false;
    return !(await keys.hasAny());
  }

  /**
   * Returns the sender of a request. The header `Authorization` counts before a session.
   * @throws Problem `unauthenticated`, `forbidden`, `issuer-unavailable`; StoreUnavailable
   */
  async callerOf(request: Pick<FastifyRequest, 'headers' | 'host' | 'protocol'>): Promise<Caller> {
    if (await this.isOpen()) return LOCAL_OPERATOR;
    const { authorization } = request.headers;
    if (authorization === undefined) {
      const session = cookieOf(request, 'session');
      if (session !== undefined) return this.#callerInSession(session);
      throw new Problem('unauthenticated', 'send an API key: Authorization: Bearer clk_…');
    }
    const [, token] = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization) ?? [];
    if (token === undefined)
      throw new Problem('unauthenticated', 'the header Authorization must be Bearer and a key or a token');
    return this.#callerWith(token);
  }

  /**
   * Returns the holder of a key, and what a session of this holder remembers.
   * @throws Problem `unauthenticated`; StoreUnavailable
   */
  async signIn(key: string): Promise<{ readonly caller: Caller; readonly claims: SessionClaims }> {
    if (await this.#isBootstrap(key)) return { caller: BOOTSTRAP, claims: { via: 'bootstrap-key' } };
    const caller = await this.#callerWithKey(key);
    return { caller, claims: { via: 'key', keyId: caller.keyId } };
  }

  async #callerWith(token: string): Promise<Caller> {
    const { tokens } = this.#dependencies;
    if (token.startsWith('clk_')) return this.#callerWithKey(token);
    if (await this.#isBootstrap(token)) return BOOTSTRAP;
    if (tokens !== undefined) return tokens.callerOf(token);
    throw unknownKey();
  }

  async #callerInSession(text: string): Promise<Caller> {
    const session = await this.#dependencies.sessions.open(text);
    if (session === undefined) throw sessionEnded('it is too old, or of another ledger');
    const { sessionId, endsAt: expiresAt } = session;
    return { ...(await this.#callerBehind(session)), sessionId, expiresAt };
  }

  /** Returns who signed in, as the keys are now. */
  async #callerBehind(session: Session): Promise<Caller> {
    const { keys, uses, now } = this.#dependencies;
    switch (session.via) {
      case 'key': {
        const key = await keys.find(session.keyId);
        if (key === undefined) throw sessionEnded('its key is not known');
        const state = keyState(key, now());
        if (state !== 'active') throw sessionEnded(`the key ${key.id} is ${state}`);
        uses.note(key.id);
        return callerOfKey(key);
      }
      case 'bootstrap-key':
        if (await this.#hasBootstrap()) return BOOTSTRAP;
        throw sessionEnded('there is a key of an operator now');
      case 'identity-provider': {
        if (this.#dependencies.tokens === undefined) throw sessionEnded('no issuer is configured any more');
        const { actor, role, accountId, name } = session;
        return {
          actor,
          role,
          ...(accountId !== undefined && { accountId }),
          ...(name !== undefined && { name }),
        };
      }
    }
  }

  async #callerWithKey(text: string): Promise<Caller & { readonly keyId: string }> {
    const { keys, uses, now } = this.#dependencies;
    const parsed = parseKeyText(text);
    const key = parsed === undefined ? undefined : await keys.verify(parsed);
    if (key === undefined) throw unknownKey();
    const state = keyState(key, now());
    // Only the holder of the secret learns why.
    if (state !== 'active') throw new Problem('unauthenticated', `the key ${key.id} is ${state}`);
    uses.note(key.id);
    return callerOfKey(key);
  }

  async #isBootstrap(token: string): Promise<boolean> {
    const { bootstrapKey } = this.#dependencies;
    if (bootstrapKey === undefined) return false;
    const isEqual = timingSafeEqual(digest(token), digest(bootstrapKey));
    return isEqual && this.#hasBootstrap();
  }

  /** Returns whether the bootstrap key counts. */
  async #hasBootstrap(): Promise<boolean> {
    const { keys, bootstrapKey } = this.#dependencies;
    return bootstrapKey !== undefined && !(await keys.hasOperatorKey());
  }

  /** Returns whether the credential of a caller still holds. @throws StoreUnavailable */
  async isStillValid(caller: Caller): Promise<boolean> {
    const { keys, now } = this.#dependencies;
    if (caller === LOCAL_OPERATOR) return this.isOpen();
    if ((caller.expiresAt ?? Number.POSITIVE_INFINITY) <= now()) return false;
    if (caller.actor === BOOTSTRAP.actor) return this.#hasBootstrap();
    if (caller.keyId === undefined) return true;
    const key = await keys.find(caller.keyId);
    return key !== undefined && keyState(key, now()) === 'active';
  }

  /**
   * Returns whether an actor is the same producer as a caller. Keys with one name are one producer, so that a key can be replaced.
   * @throws StoreUnavailable
   */
  async isSameProducer(caller: Caller, actor: string): Promise<boolean> {
    if (caller.actor === actor) return true;
    if (caller.keyId === undefined) return false;
    const { keys } = this.#dependencies;
    const [own, other] = [await keys.find(caller.keyId), (await keys.all()).find(({ id }) => id === actor)];
    return own !== undefined && other?.role === own.role && other.name === own.name;
  }
}

function callerOfKey({ id, role, accountId, expiresAt, name }: AccessKey): Caller & { keyId: string } {
  return { actor: id, keyId: id, role, name, expiresAt, ...(accountId !== undefined && { accountId }) };
}

function sessionEnded(why: string): Problem {
  return new Problem('unauthenticated', `the session has ended: ${why}; sign in again`);
}

function unknownKey(): Problem {
  return new Problem('unauthenticated', 'the key is not known');
}

/** Returns a digest of fixed length, so that the comparison takes constant time. */
function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
