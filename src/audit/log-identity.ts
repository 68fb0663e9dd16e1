import type { StoredCheckpoint } from './checkpoint-store.ts';
import { MalformedCheckpoint } from './checkpoint-text.ts';
import { LogKeyError, type LogKeys } from './log-keys.ts';
import { MalformedNote, openNote, signersOf, UnknownSigners, UntrustedNote } from './note.ts';
import { hexOf } from './note-key.ts';

/** Origin and keys of a log, by which readers recognize its checkpoints. */
export interface Identity {
  readonly origin: string;
  readonly keys: LogKeys;
}

/**
 * Returns whether a stored checkpoint has the origin of this ledger and a signature of its current key. If not, the ledger has
 * to sign a new one. Returns `'accepted'` if no known key has signed it and the operator accepts the current key.
 * @param acceptKey id of the current key, if the operator accepts it as the successor of lost keys.
 * @throws LogKeyError if the checkpoint belongs to another log, or no known key has signed it.
 * @throws UntrustedNote, MalformedNote if the checkpoint was tampered with.
 */
export function isOwn(
  checkpoint: StoredCheckpoint,
  { origin, keys }: Identity,
  acceptKey: string | undefined,
): boolean | 'accepted' {
  // A checkpoint of no events commits to nothing, so its origin may still change.
  if (checkpoint.origin !== origin && checkpoint.size > 0)
    throw new LogKeyError(
      `the origin of this log is ${checkpoint.origin}, by its checkpoint of ${checkpoint.size} events, and not ${origin}: set audit.origin to it`,
    );
  try {
    const { signedBy } = openNote(checkpoint.note, keys.verifiers);
    return checkpoint.origin === origin && signedBy.includes(keys.current);
  } catch (error) {
    if (!(error instanceof UnknownSigners)) throw error;
  }
  const own = hexOf(keys.current.keyId);
  if (acceptKey === own) return 'accepted';
  throw new LogKeyError(
    `no key of this ledger has signed the newest checkpoint of its log (${checkpoint.size} events); its signers are ` +
      `${signersOf(checkpoint.note).join(' and ')}. Use that key: all replicas of a ledger sign with the same keys. If the key ` +
      'is lost, add its public key to the key file if you have it. Otherwise accept the current key as its successor: set ' +
      `audit.acceptKey to ${own}.`,
  );
}

/** Returns whether an error means that a stored checkpoint was tampered with. */
export function isDamage(error: unknown): error is Error {
  return [MalformedCheckpoint, MalformedNote, UntrustedNote].some((kind) => error instanceof kind);
}
