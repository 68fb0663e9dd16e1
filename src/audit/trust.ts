import { MalformedCheckpoint } from './checkpoint.ts';
import type { StoredCheckpoint } from './checkpoint-store.ts';
import { LogKeyError, type LogKeys } from './log-keys.ts';
import { MalformedNote, openNote, signersOf, UnknownSigners, UntrustedNote } from './note.ts';
import { hexOf } from './note-key.ts';

/** Who a ledger is to those who read its checkpoints. */
export interface Identity {
  readonly origin: string;
  readonly keys: LogKeys;
}

/**
 * Whether a kept checkpoint stands for this ledger: it has its origin, and its current key has signed it. One that does not
 * is to be followed by one that does.
 * @param acceptKey id of the current key, where it is to follow on keys that are lost.
 * @throws LogKeyError where it is that of another log, or no key that is known here has signed it.
 * @throws UntrustedNote, MalformedNote where it was tampered with.
 */
export function isOurs(
  kept: StoredCheckpoint,
  { origin, keys }: Identity,
  acceptKey: string | undefined,
): boolean | 'accepted' {
  // A checkpoint of no events has said nothing yet.
  if (kept.origin !== origin && kept.size > 0)
    throw new LogKeyError(
      `this log is ${kept.origin}, as its checkpoint of ${kept.size} events says, and not ${origin}: set the origin to that`,
    );
  try {
    const { signedBy } = openNote(kept.note, keys.verifiers);
    return kept.origin === origin && signedBy.includes(keys.current);
  } catch (error) {
    if (!(error instanceof UnknownSigners)) throw error;
  }
  const own = hexOf(keys.current.keyId);
  if (acceptKey === own) return 'accepted';
  throw new LogKeyError(
    `none of the keys of this ledger has signed the newest checkpoint of its log (${kept.size} events), but ` +
      `${signersOf(kept.note).join(' and ')}. Give it that key: all replicas of a ledger sign with the same. Where the key ` +
      'is lost, put its public line into the key file, if you have it; or have the new key follow on it: set the accepted ' +
      `key to ${own}.`,
  );
}

/** Whether an error says that a kept checkpoint was tampered with. */
export function isDamage(error: unknown): error is Error {
  return [MalformedCheckpoint, MalformedNote, UntrustedNote].some((kind) => error instanceof kind);
}
