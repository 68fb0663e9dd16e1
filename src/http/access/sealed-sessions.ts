import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { KeyId } from '../../domain/access/access-key.ts';
import { type Caller, ROLES } from '../../domain/access/caller.ts';
import { HOUR_MS, type Instant, MINUTE_MS, SECOND_MS } from '../../domain/time.ts';
import { messageOf } from '../../util/message-of.ts';
import { openPrivateFile } from '../../util/private-file.ts';
import type { CookieUse } from './session-cookie.ts';

/** How long a session lasts. */
const SESSION_MS = 8 * HOUR_MS;
/** How long a person may take at the identity provider. */
const SIGN_IN_MS = 10 * MINUTE_MS;
const KEY_BYTES = 32;

/** The key of the sessions cannot be used. */
export class SessionKeyError extends Error {
  override readonly name = 'SessionKeyError';
}

/** Whom a session is for. What a key permits is looked up at every request; what an identity provider said is kept. */
const Claims = z.discriminatedUnion('via', [
  z.object({ via: z.literal('key'), keyId: KeyId }),
  z.object({ via: z.literal('bootstrap-key') }),
  z.object({
    via: z.literal('identity-provider'),
    actor: z.string(),
    role: z.enum(ROLES),
    accountId: z.string().optional(),
    name: z.string().optional(),
  }),
]);
export type SessionClaims = z.output<typeof Claims>;

/** A session of a browser. */
export type Session = SessionClaims & { readonly sessionId: string; readonly endsAt: Instant };

/** A sign-in at the identity provider that is in progress. */
const Pending = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  redirectUri: z.string(),
  returnTo: z.string(),
});
export type PendingSignIn = z.output<typeof Pending>;

/** A text for a cookie, and when it ends. */
export interface Sealed {
  readonly text: string;
  readonly endsAt: Instant;
  readonly seconds: number;
}

/**
 * Seals sessions into texts for cookies: encrypted and authenticated (JWE, RFC 7516, with AES-256-GCM). No replica keeps a
 * session, so that every replica with the same key accepts it.
 */
export class Sessions {
  readonly #key: Buffer;
  readonly #now: () => Instant;

  /**
   * @param key 32 bytes in base64.
   * @throws SessionKeyError if the key has another form.
   */
  constructor(key: string, now: () => Instant) {
    this.#key = Buffer.from(key.trim(), 'base64');
    if (this.#key.length !== KEY_BYTES || this.#key.toString('base64') !== key.trim())
      throw new SessionKeyError(`the key of the sessions must be ${KEY_BYTES} bytes in base64`);
    this.#now = now;
  }

  /** Returns a new key as text. */
  static newKey(): string {
    return randomBytes(KEY_BYTES).toString('base64');
  }

  /** Starts a session. It ends after 8 hours, or with the credential of the caller. */
  start(claims: SessionClaims, { expiresAt }: Pick<Caller, 'expiresAt'>): Promise<Sealed> {
    const latest = this.#now() + SESSION_MS;
    return this.#seal('session', claims, Math.min(latest, expiresAt ?? latest));
  }

  /** Returns a session; `undefined` if the text was not sealed with this key, or the session has ended. */
  async open(text: string): Promise<Session | undefined> {
    const payload = await this.#unseal('session', text);
    const claims = Claims.safeParse(payload).data;
    if (claims === undefined || payload === undefined) return undefined;
    return { ...claims, sessionId: String(payload['jti']), endsAt: Number(payload['exp']) * SECOND_MS };
  }

  /** Keeps a sign-in for 10 minutes. */
  keepPending(pending: PendingSignIn): Promise<Sealed> {
    return this.#seal('sign-in', pending, this.#now() + SIGN_IN_MS);
  }

  /** Returns a sign-in that is in progress; `undefined` if it is not known or too old. */
  async openPending(text: string): Promise<PendingSignIn | undefined> {
    return Pending.safeParse(await this.#unseal('sign-in', text)).data;
  }

  async #seal(use: CookieUse, claims: object, endsAt: Instant): Promise<Sealed> {
    const [now, end] = [this.#now(), endsAt].map((at) => Math.floor(at / SECOND_MS)) as [number, number];
    const { EncryptJWT } = await import('jose');
    const text = await new EncryptJWT({ ...claims })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .setAudience(audienceOf(use))
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(end)
      .encrypt(this.#key);
    return { text, endsAt: end * SECOND_MS, seconds: end - now };
  }

  async #unseal(use: CookieUse, text: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { errors, jwtDecrypt } = await import('jose');
    try {
      const { payload } = await jwtDecrypt(text, this.#key, {
        audience: audienceOf(use),
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
        requiredClaims: ['exp', 'jti'],
        currentDate: new Date(this.#now()),
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }
}

/** A text for one use is of no use for the other. */
function audienceOf(use: CookieUse): string {
  return `cluster-ledger ${use}`;
}

/**
 * Reads the key of the sessions in the data folder; creates it at the first start.
 * @throws SessionKeyError if the file cannot be read or created, has no key, or can be read by other users.
 */
export async function openSessionKey(dataDir: string): Promise<string> {
  const file = join(dataDir, 'session-key');
  try {
    return await openPrivateFile(file, `${Sessions.newKey()}\n`);
  } catch (cause) {
    throw new SessionKeyError(`the key file ${file} cannot be used: ${messageOf(cause)}`, { cause });
  }
}
