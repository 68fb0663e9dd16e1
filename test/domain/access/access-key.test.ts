import { describe, expect, test } from 'vitest';
import {
  type AccessKey,
  applyAccessEvent,
  expiringKeys,
  KeyId,
  keyCreatedData,
  keyState,
} from '../../../src/domain/access/access-key.ts';

const DAY = 86_400_000;
const created = Date.parse('2026-01-01');
const expires = Date.parse('2026-12-31');
const hash = '0123456789abcdef'.repeat(4);
const key: AccessKey = {
  id: 'abcdefgh0123',
  secretHash: hash,
  name: 'app',
  role: 'producer',
  createdAt: created,
  createdBy: 'ada',
  expiresAt: expires,
};
const revoked = { at: created + 1, by: 'ada' };

test.each([
  ['active', key, expires - 1],
  ['expired', key, expires],
  ['revoked', { ...key, revoked }, created],
  ['revoked', { ...key, revoked }, expires],
] as const)('a key is %s: %#', (state, each, now) => {
  expect(keyState(each, now)).toBe(state);
});

test.each([
  ['abcdefgh0123', true],
  ['abcdefgh012', false],
  ['abcdefgh01234', false],
  ['Abcdefgh0123', false],
  ['-bcdefgh0123', false],
])('%o is the id of a key: %s', (text, isId) => {
  const { success, error } = KeyId.safeParse(text);
  expect(success).toBe(isId);
  if (!isId) expect(error?.issues[0]?.message).toBe('must be the id of a key, 12 of a-z 0-9');
});

describe('a key that expires', () => {
  const expiring = (now: number, ...keys: AccessKey[]) => expiringKeys(keys, now).map((each) => each.since);
  const since = expires - 14 * DAY;

  test('is in an alert from 14 days before its end until 7 days after it', () => {
    expect(expiring(since - 1, key)).toEqual([]);
    expect(expiring(since, key)).toEqual([since]);
    expect(expiring(expires + 7 * DAY - 1, key)).toEqual([since]);
    expect(expiring(expires + 7 * DAY, key)).toEqual([]);
  });

  test('is in an alert in the last quarter of a short life', () => {
    const short = { ...key, expiresAt: created + 8 * DAY };
    expect(expiring(created + 6 * DAY - 1, short)).toEqual([]);
    expect(expiring(created + 6 * DAY, short)).toEqual([created + 6 * DAY]);
  });

  test('is not in an alert if it is revoked', () => {
    expect(expiring(expires, { ...key, revoked })).toEqual([]);
  });

  test.each<[isReplaced: boolean, other: Partial<AccessKey>]>([
    [true, {}],
    [false, { expiresAt: expires }],
    [false, { revoked }],
    [false, { name: 'other' }],
    [false, { role: 'billing' }],
    [false, { accountId: 'acme' }],
  ])('is not in an alert if a later key of the same user replaces it (%s): %j', (isReplaced, other) => {
    const later = { ...key, id: 'other0000000', expiresAt: expires + 90 * DAY, ...other };
    expect(expiringKeys([key, later], since).some((each) => each.key === key)).toBe(!isReplaced);
  });
});

describe('the event of a new key', () => {
  const data = {
    keyId: key.id,
    secretHash: hash,
    role: 'producer',
    name: 'app',
    expiresAt: '2026-12-31T00:00:00.000Z',
  } as const;
  const apply = (type: string, fields: unknown, ...before: AccessKey[]) => {
    const keys = new Map(before.map((each) => [each.id, each]));
    applyAccessEvent(keys, { type, data: fields, metadata: { actor: 'ada' }, recordedAt: created });
    return [...keys.values()];
  };

  test('has the key, with the account of a customer', () => {
    expect(keyCreatedData(key.id, hash, key)).toEqual(data);
    expect(keyCreatedData(key.id, hash, { ...key, role: 'customer', accountId: 'acme' })).toEqual({
      ...data,
      role: 'customer',
      accountId: 'acme',
    });
  });

  test('creates it', () => {
    expect(apply('KeyCreated', data)).toEqual([key]);
    expect(apply('KeyCreated', { ...data, role: 'customer', accountId: 'acme' })).toEqual([
      { ...key, role: 'customer', accountId: 'acme' },
    ]);
  });

  test('does not replace a key that is known', () => {
    expect(apply('KeyCreated', { ...data, name: 'other' }, key)).toEqual([key]);
  });

  test.each<[fields: object]>([
    [{ keyId: 'x' }],
    [{ secretHash: `${hash}0` }],
    [{ secretHash: `x${hash}` }],
    [{ secretHash: hash.toUpperCase() }],
    [{ role: 'king' }],
    [{ name: '' }],
    [{ expiresAt: 1 }],
    [{ accountId: 1 }],
  ])('creates no key that this release cannot read: %j', (fields) => {
    expect(apply('KeyCreated', { ...data, ...fields })).toEqual([]);
  });

  test('is followed by that of its end, with the reason if there is one', () => {
    const at = { at: created, by: 'ada' };
    expect(apply('KeyRevoked', { keyId: key.id }, key)).toEqual([{ ...key, revoked: at }]);
    expect(apply('KeyRevoked', { keyId: key.id, reason: 'lost' }, key)).toEqual([
      { ...key, revoked: { ...at, reason: 'lost' } },
    ]);
  });

  test('is not followed by a second end, nor by one of another key, of another form or type', () => {
    const ended = { ...key, revoked };
    expect(apply('KeyRevoked', { keyId: key.id, reason: 'lost' }, ended)).toEqual([ended]);
    expect(apply('KeyRevoked', { keyId: 'other0000000' }, key)).toEqual([key]);
    expect(apply('KeyRevoked', { keyId: key.id, reason: 1 }, key)).toEqual([key]);
    expect(apply('KeyRevoked', null, key)).toEqual([key]);
    expect(apply('KeyLost', data, key)).toEqual([key]);
    expect(apply('KeyLost', data)).toEqual([]);
  });
});
