import { z } from 'zod';
import { AccountId, line } from '../facts/fact.ts';
import { DAY_MS, formatInstant, type Instant, readInstant } from '../time.ts';
import { ROLES, type Role } from './caller.ts';

/** Maximum lifetime of a key in days. It is also the default. */
export const MAX_KEY_DAYS = 365;

/** Name of a key: who uses it. */
export const KeyName = line(100);

/** Id of a key. It is public. */
export const KeyId = z.string().regex(/^[a-z0-9]{12}$/, 'must be the id of a key, 12 of a-z 0-9');

/** A key that is to be created. */
export interface NewKey {
  readonly name: string;
  readonly role: Role;
  /** Account of a customer. */
  readonly accountId?: string;
  readonly expiresAt: Instant;
}

/** An API key as the log has it. Its secret is not in the log. */
export interface AccessKey extends NewKey {
  readonly id: string;
  /** SHA-256 of the secret, in hexadecimal digits. */
  readonly secretHash: string;
  readonly createdAt: Instant;
  readonly createdBy: string;
  readonly revoked?: { readonly at: Instant; readonly by: string; readonly reason?: string };
}

export const KEY_STATES = ['active', 'expired', 'revoked'] as const;
export type KeyState = (typeof KEY_STATES)[number];

export function keyState({ revoked, expiresAt }: AccessKey, now: Instant): KeyState {
  if (revoked !== undefined) return 'revoked';
  return expiresAt <= now ? 'expired' : 'active';
}

/** Time before the end of a key from which an alert says that it will expire; for a key of a short life, a quarter of that. */
const EXPIRY_NOTICE_MS = 14 * DAY_MS;
/** Time after its end in which an alert says that a key has expired. */
const EXPIRED_NOTICE_MS = 7 * DAY_MS;

/** A key that expires soon or has expired lately, and since when an alert says so. */
export interface ExpiringKey {
  readonly key: AccessKey;
  readonly since: Instant;
}

/** Returns the keys that will expire soon or have expired lately, and that no later key of the same user replaces. */
export function expiringKeys(keys: readonly AccessKey[], now: Instant): ExpiringKey[] {
  return keys.flatMap((key) => {
    const { createdAt, expiresAt, revoked } = key;
    const since = expiresAt - Math.min(EXPIRY_NOTICE_MS, (expiresAt - createdAt) / 4);
    if (revoked !== undefined || now < since || now >= expiresAt + EXPIRED_NOTICE_MS) return [];
    return keys.some((other) => replaces(other, key)) ? [] : [{ key, since }];
  });
}

function replaces(other: AccessKey, key: AccessKey): boolean {
  return (
    other.revoked === undefined &&
    other.expiresAt > key.expiresAt &&
    other.name === key.name &&
    other.role === key.role &&
    other.accountId === key.accountId
  );
}

const KeyCreated = z.object({
  keyId: KeyId,
  secretHash: z.string().regex(/^[0-9a-f]{64}$/),
  role: z.enum(ROLES),
  accountId: AccountId.optional(),
  name: KeyName,
  expiresAt: z.string(),
});
const KeyRevoked = z.object({ keyId: KeyId, reason: z.string().optional() });

/** The data of the event that records a new key. */
export function keyCreatedData(id: string, secretHash: string, key: NewKey): z.input<typeof KeyCreated> {
  const { role, accountId, name, expiresAt } = key;
  const account = accountId === undefined ? {} : { accountId };
  return { keyId: id, secretHash, role, ...account, name, expiresAt: formatInstant(expiresAt) };
}

interface AccessEvent {
  readonly type: string;
  readonly data: unknown;
  readonly metadata: { readonly [key: string]: unknown };
  readonly recordedAt: Instant;
}

/**
 * Applies an event of the stream `access` to the known keys. An event that this release cannot read gives access to nobody: a key
 * that it creates stays unknown.
 */
export function applyAccessEvent(keys: Map<string, AccessKey>, event: AccessEvent): void {
  const { type, data, metadata, recordedAt: at } = event;
  const by = String(metadata['actor']);
  if (type === 'KeyCreated') {
    const created = KeyCreated.safeParse(data).data;
    if (created === undefined || keys.has(created.keyId)) return;
    const { keyId: id, accountId, expiresAt, ...rest } = created;
    const account = accountId === undefined ? {} : { accountId };
    keys.set(id, {
      id,
      ...rest,
      ...account,
      expiresAt: readInstant(expiresAt),
      createdAt: at,
      createdBy: by,
    });
  }
  if (type === 'KeyRevoked') {
    const revoked = KeyRevoked.safeParse(data).data;
    const key = keys.get(revoked?.keyId ?? '');
    if (revoked === undefined || key === undefined || key.revoked !== undefined) return;
    const reason = revoked.reason === undefined ? {} : { reason: revoked.reason };
    keys.set(key.id, { ...key, revoked: { at, by, ...reason } });
  }
}
