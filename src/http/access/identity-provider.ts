import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  clockSkew,
  discovery,
  enableNonRepudiationChecks,
  type IDToken,
  ResponseBodyError,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import type { OidcIssuer } from '../../config/access-settings.ts';
import type { Caller } from '../../domain/access/caller.ts';
import { type Instant, SECOND_MS } from '../../domain/time.ts';
import { Problem } from '../server/problem.ts';
import type { PendingSignIn } from './sealed-sessions.ts';
import type { TokenVerifier } from './token-verifier.ts';

const TIMEOUT_S = 5;
/** Path of the page of the console that the identity provider leads back to. */
const SIGN_IN_PAGE = '/sign-in';
const MAX_NAME_CHARS = 100;

/** A person who signed in at the identity provider. */
export type SignedIn = Pick<Caller, 'actor' | 'role' | 'accountId' | 'name'>;

/**
 * Signs people in at the OpenID Connect issuer: authorization code with PKCE (S256), `state` and `nonce`. The endpoints are those of
 * the discovery document of the configured issuer.
 */
export class IdentityProvider {
  readonly #settings: OidcIssuer;
  readonly #clientId: string;
  readonly #tokens: TokenVerifier;
  readonly #now: () => Instant;

  constructor(settings: OidcIssuer, clientId: string, tokens: TokenVerifier, now: () => Instant) {
    this.#settings = settings;
    this.#clientId = clientId;
    this.#tokens = tokens;
    this.#now = now;
  }

  get issuer(): string {
    return this.#settings.issuer;
  }

  /**
   * Begins a sign-in.
   * @param origin origin of the console, such as `https://ledger.example`.
   * @param returnTo path of the console to show after the sign-in.
   * @returns the address to lead the browser to, and what the end of the sign-in needs.
   * @throws Problem `issuer-unavailable`
   */
  async begin(origin: string, returnTo: string): Promise<{ url: string; pending: PendingSignIn }> {
    const configuration = await this.#configuration();
    const verifier = randomPKCECodeVerifier();
    const pending: PendingSignIn = {
      state: randomState(),
      nonce: randomNonce(),
      verifier,
      redirectUri: `${origin}${SIGN_IN_PAGE}`,
      returnTo,
    };
    const url = buildAuthorizationUrl(configuration, {
      ...this.#settings.authorizationParameters,
      scope: this.#settings.scope,
      redirect_uri: pending.redirectUri,
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    return { url: url.href, pending };
  }

  /**
   * Ends a sign-in.
   * @param response the query that the identity provider added to the address of the sign-in page.
   * @throws Problem `sign-in-failed`, `issuer-unavailable`, `unauthenticated` if the access token is not for the ledger, `forbidden`
   * if the person has no role.
   */
  async complete(response: string, pending: PendingSignIn): Promise<SignedIn> {
    const configuration = await this.#configuration();
    const tokens = await authorizationCodeGrant(
      configuration,
      new URL(`${pending.redirectUri}?${response.replace(/^\?/, '')}`),
      {
        pkceCodeVerifier: pending.verifier,
        expectedState: pending.state,
        expectedNonce: pending.nonce,
        idTokenExpected: true,
      },
    ).catch((error: unknown) => {
      throw this.#problemOf(error);
    });
    // The library has verified its signature, issuer, audience, nonce and times.
    const identity = tokens.claims() as IDToken;
    const caller =
      this.#settings.rolesFrom === 'id-token'
        ? this.#tokens.callerFrom(identity)
        : await this.#tokens.callerOf(tokens.access_token);
    const { actor, role, accountId } = caller;
    if (actor !== `${identity.iss}#${identity.sub}`)
      throw new Problem('sign-in-failed', 'the access token and the ID token name two persons');
    const name = nameIn(identity);
    return {
      actor,
      role,
      ...(accountId !== undefined && { accountId }),
      ...(name !== undefined && { name }),
    };
  }

  /** Reads the discovery document. Sign-ins are rare, so it is read each time and never out of date. */
  async #configuration(): Promise<Configuration> {
    const { issuer, clientSecret } = this.#settings;
    try {
      // The library compares with its own clock; the difference makes the clock of the ledger count.
      const skew = Math.round((this.#now() - Date.now()) / SECOND_MS);
      // The settings allow http for addresses of this machine only.
      const isHttp = issuer.startsWith('http:');
      return await discovery(
        new URL(issuer),
        this.#clientId,
        { [clockSkew]: skew },
        authenticationWith(clientSecret),
        {
          timeout: TIMEOUT_S,
          execute: [enableNonRepudiationChecks, ...(isHttp ? [allowInsecureRequests] : [])],
        },
      );
    } catch (error) {
      throw this.#unavailable(error);
    }
  }

  #problemOf(error: unknown): Problem {
    if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
      const { error: code, error_description: why } = error;
      const text = why === undefined ? code : `${code}: ${why.slice(0, 300)}`;
      return new Problem('sign-in-failed', `the identity provider answered ${text}`, { cause: error });
    }
    const { code } = error as { code?: unknown };
    if (!(error instanceof Error) || code === undefined || code === 'OAUTH_TIMEOUT')
      return this.#unavailable(error);
    // The library says in the cause what exactly is wrong.
    const why = error.cause instanceof Error ? error.cause.message : error.message;
    const detail = `the answer of the identity provider is not valid: ${why}`;
    return new Problem('sign-in-failed', detail, { cause: error });
  }

  #unavailable(cause: unknown): Problem {
    const detail = `${this.#settings.issuer} cannot be reached, so nobody can sign in there; nothing was recorded`;
    return new Problem('issuer-unavailable', detail, { retryAfterSeconds: 5, cause });
  }
}

/** Returns how the client authenticates: without a secret not at all, else by the method that the issuer supports. */
function authenticationWith(secret: string | undefined): ClientAuth | undefined {
  if (secret === undefined) return undefined;
  return (server, ...more) => {
    // Without a list, HTTP Basic is supported (OpenID Connect Discovery 1.0, section 3).
    const { token_endpoint_auth_methods_supported: methods = ['client_secret_basic'] } = server;
    const method = methods.includes('client_secret_basic') ? ClientSecretBasic : ClientSecretPost;
    method(secret)(server, ...more);
  };
}

function nameIn({ name, preferred_username, email }: IDToken): string | undefined {
  const found = [name, preferred_username, email].find((text) => typeof text === 'string' && text !== '');
  return (found as string | undefined)?.slice(0, MAX_NAME_CHARS);
}
