import { hasControl, isKeyName } from '../util/key-name.ts';
import { hexOf, type NoteSigner, type NoteVerifier, strictBase64 } from './note-key.ts';

/** Maximum number of signature lines, as in golang.org/x/mod/sumdb/note. C2SP requires at least 16. */
const MAX_SIGNATURES = 100;
const DASH = '\u2014';

/** A note with a valid signature of at least one known key. */
export interface OpenedNote {
  /** The signed text, which ends with a newline. */
  readonly text: string;
  /** Keys of the valid signatures, in the order of the lines. */
  readonly signedBy: readonly NoteVerifier[];
}

/** The bytes are not a signed note. */
export class MalformedNote extends Error {
  override readonly name = 'MalformedNote';
}

/** The note cannot be trusted: no known key has signed it, or the signature of a known key is invalid. */
export class UntrustedNote extends Error {
  override readonly name: string = 'UntrustedNote';
}

/** No known key has signed the note, so it can be neither trusted nor refuted. */
export class UnknownSigners extends UntrustedNote {
  override readonly name = 'UnknownSigners';
}

/**
 * Signs a text (https://c2sp.org/signed-note). The note has a signature line for each key, so that during a rotation readers who
 * have the old or the new key can verify it.
 * @param text must end with a newline and have no other control characters than newlines.
 * @throws MalformedNote if the text cannot be that of a note.
 */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!text.endsWith('\n') || hasControl(text) || !text.isWellFormed())
    throw new MalformedNote('the text of a note must be lines without control characters');
  if (signers.length === 0) throw new MalformedNote('a note must have a signature');
  return `${text}\n${signers.map((signer) => signatureLine(text, signer)).join('')}`;
}

function signatureLine(text: string, signer: NoteSigner): string {
  const { name, keyId } = signer.verifier;
  const id = Buffer.alloc(4);
  id.writeUInt32BE(keyId);
  return `${DASH} ${name} ${Buffer.concat([id, signer.sign(text)]).toString('base64')}\n`;
}

interface Signature {
  readonly name: string;
  readonly keyId: number;
  readonly signature: Uint8Array;
}

/**
 * Parses a signed note and verifies it. Signatures of unknown keys are ignored. All signatures of known keys must be valid.
 * @param note bytes or text of the note.
 * @throws MalformedNote, UntrustedNote
 */
export function openNote(note: Uint8Array | string, known: readonly NoteVerifier[]): OpenedNote {
  const { text, signatures } = parseNote(note);
  const signedBy = new Set<NoteVerifier>();
  for (const { name, keyId, signature } of signatures) {
    const verifier = known.find((key) => key.name === name && key.keyId === keyId);
    if (verifier === undefined) continue;
    if (!verifier.verifies(text, signature))
      throw new UntrustedNote(`the signature of ${name} is not valid for this text`);
    signedBy.add(verifier);
  }
  if (signedBy.size === 0) throw new UnknownSigners('none of the known keys has signed the note');
  return { text, signedBy: [...signedBy] };
}

/** Returns the keys that a note names as signers, as `<name>+<key id>`. Verifies nothing. @throws MalformedNote */
export function signersOf(note: string): string[] {
  return parseNote(note).signatures.map(({ name, keyId }) => `${name}+${hexOf(keyId)}`);
}

function parseNote(note: Uint8Array | string): { text: string; signatures: Signature[] } {
  const whole = typeof note === 'string' ? note : decode(note);
  if (hasControl(whole) || !whole.isWellFormed())
    throw new MalformedNote('a note must not have control characters');
  const end = whole.lastIndexOf('\n\n');
  if (end === -1 || !whole.endsWith('\n'))
    throw new MalformedNote('a note must be text, an empty line and signature lines');
  const lines = whole.slice(end + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES)
    throw new MalformedNote(`a note has at most ${MAX_SIGNATURES} signatures`);
  return { text: whole.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new MalformedNote('a note must be UTF-8', { cause });
  }
}

function parseSignature(line: string): Signature {
  const [dash, name = '', encoded = '', ...more] = line.split(' ');
  const bytes = strictBase64(encoded);
  if (dash !== DASH || !isKeyName(name) || more.length > 0 || bytes === undefined || bytes.length < 5)
    throw new MalformedNote(`${JSON.stringify(line)} is not a signature line`);
  return { name, keyId: bytes.readUInt32BE(0), signature: bytes.subarray(4) };
}
