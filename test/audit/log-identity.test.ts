import { describe, expect, test } from 'vitest';
import type { StoredCheckpoint } from '../../src/audit/checkpoint-store.ts';
import { formatCheckpoint, MalformedCheckpoint } from '../../src/audit/checkpoint-text.ts';
import { isDamage, isOwn } from '../../src/audit/log-identity.ts';
import { LogKeyError, LogKeys } from '../../src/audit/log-keys.ts';
import { MalformedNote, signNote, UnknownSigners, UntrustedNote } from '../../src/audit/note.ts';
import { hexOf } from '../../src/audit/note-key.ts';

const ORIGIN = 'ledger.example/log';
const keys = LogKeys.generate(ORIGIN);
const rotated = keys.rotated();
const retired = rotated.retired();
const lost = LogKeys.generate(ORIGIN).rotated();
const identity = { origin: ORIGIN, keys };
const idOf = ({ current }: LogKeys) => hexOf(current.keyId);

/** A stored checkpoint that is signed by `by`. */
function signedBy(by: LogKeys, { origin = ORIGIN, size = 3 } = {}): StoredCheckpoint {
  const root = new Uint8Array(32);
  const note = signNote(formatCheckpoint({ origin, size, root }), by.signers);
  return { note, origin, size, root, signedAt: 0, number: 0 };
}

describe('a stored checkpoint', () => {
  test.each([
    ['is own if the only key has signed it', keys, keys, true],
    ['is own if the current key has signed it beside the old key', rotated, rotated, true],
    ['is own if the current key signed it before the old key retired', rotated, retired, true],
    ['is not own if only the old key has signed it', keys, rotated, false],
    ['is not own if only a former key has signed it', keys, retired, false],
  ] as const)('%s', (_, by, known, own) => {
    expect(isOwn(signedBy(by), { origin: ORIGIN, keys: known }, undefined)).toBe(own);
  });

  test('is not replaced by the accepted key while a known key has signed it', () => {
    expect(isOwn(signedBy(keys), identity, idOf(keys))).toBe(true);
    expect(isOwn(signedBy(keys), { origin: ORIGIN, keys: rotated }, idOf(rotated))).toBe(false);
  });

  test('belongs to another log if it has another origin, unless it covers no events', () => {
    const of = (size: number) => signedBy(keys, { origin: 'ledger.example/other', size });
    expect(isOwn(of(0), identity, undefined)).toBe(false);
    expect(() => isOwn(of(1), identity, undefined)).toThrow(
      new LogKeyError(
        'the origin of this log is ledger.example/other, by its checkpoint of 1 events, and not ledger.example/log: set ' +
          'audit.origin to it',
      ),
    );
  });

  test('is rejected if no known key has signed it; the error says which keys have, and what to do', () => {
    const [first, second] = lost.signers.map(({ verifier }) => hexOf(verifier.keyId));
    expect(() => isOwn(signedBy(lost), identity, undefined)).toThrow(
      new LogKeyError(
        'no key of this ledger has signed the newest checkpoint of its log (3 events); its signers are ' +
          `${ORIGIN}+${first} and ${ORIGIN}+${second}. Use that key: all replicas of a ledger sign with the same keys. If the ` +
          'key is lost, add its public key to the key file if you have it. Otherwise accept the current key as its ' +
          `successor: set audit.acceptKey to ${idOf(keys)}.`,
      ),
    );
  });

  test('is accepted without a signature of a known key only if the operator accepts the current key', () => {
    expect(isOwn(signedBy(lost), identity, idOf(keys))).toBe('accepted');
    expect(() => isOwn(signedBy(lost), identity, idOf(lost))).toThrow(LogKeyError);
    expect(isOwn(signedBy(lost), { origin: ORIGIN, keys: rotated }, idOf(rotated))).toBe('accepted');
    expect(() => isOwn(signedBy(lost), { origin: ORIGIN, keys: rotated }, idOf(keys))).toThrow(LogKeyError);
  });

  test('is rejected if it was changed after it was signed, also if the operator accepts the current key', () => {
    const checkpoint = signedBy(keys);
    const changed = { ...checkpoint, note: checkpoint.note.replace('\n3\n', '\n2\n') };
    expect(() => isOwn(changed, identity, idOf(keys))).toThrow(UntrustedNote);
    expect(() => isOwn({ ...checkpoint, note: 'nothing' }, identity, idOf(keys))).toThrow(MalformedNote);
  });
});

test.each([
  ['a malformed checkpoint', new MalformedCheckpoint(), true],
  ['a malformed note', new MalformedNote(), true],
  ['an invalid signature', new UntrustedNote(), true],
  ['a note of unknown signers', new UnknownSigners(), true],
  ['an unusable key', new LogKeyError(), false],
  ['another error', new Error('of the disk'), false],
  ['something that is not an error', 'MalformedNote', false],
])('%s: whether it means that a checkpoint was tampered with', (_, error, damage) => {
  expect(isDamage(error)).toBe(damage);
});
