import { hasControl, isKeyName } from '../util/key-name.ts';
import { hexOf, type NoteSigner, type NoteVerifier, strictBase64 } from './note-key.ts';

/** Signature lines that are read at the most, as golang.org/x/mod/sumdb/note does; C2SP asks for 16 at least. */
const MAX_SIGNATURES = 100;
const DASH = '\u2014';

/** A note that at least one known key has signed. */
export interface OpenedNote {
  /** What was signed, with the newline at its end. */
  readonly text: string;
  /** The keys whose signatures were verified, in the order of the lines. */
  readonly signedBy: readonly NoteVerifier[];
}

/** The bytes are no signed note. */
export class MalformedNote extends Error {
  override readonly name = 'MalformedNote';
}

/** The note is not to be believed: no known key has signed it, or a signature of a known key is wrong. */
export class UntrustedNote extends Error {
  override readonly name: string = 'UntrustedNote';
}

/** No known key has signed the note: what it says is neither right nor wrong to who knows only these. */
export class UnknownSigners extends UntrustedNote {
  override readonly name = 'UnknownSigners';
}

/**
 * Signs a text (https://c2sp.org/signed-note): a line per key, so that readers who know the old or the new one of two keys
 * can verify it.
 * @param text ends with a newline, and has no other control character.
 * @throws MalformedNote where the text can be that of no note.
 */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!text.endsWith('\n') || hasControl(text) || !text.isWellFormed())
    throw new MalformedNote('a note is lines of text without control characters');
  if (signers.length === 0) throw new MalformedNote('a note has a signature');
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
 * Reads a signed note and verifies it. Signatures of unknown keys are ignored; each one of a known key must be right.
 * @param note its bytes, or their text.
 * @throws MalformedNote, UntrustedNote
 */
export function openNote(note: Uint8Array | string, known: readonly NoteVerifier[]): OpenedNote {
  const { text, signatures } = parseNote(note);
  const signedBy = new Set<NoteVerifier>();
  for (const { name, keyId, signature } of signatures) {
    const verifier = known.find((key) => key.name === name && key.keyId === keyId);
    if (verifier === undefined) continue;
    if (!verifier.verifies(text, signature))
      throw new UntrustedNote(`the signature of ${name} is not that of this text`);
    signedBy.add(verifier);
  }
  if (signedBy.size === 0) throw new UnknownSigners('none of the known keys has signed the note');
  return { text, signedBy: [...signedBy] };
}

/** Which keys a note says to be signed by, as `<name>+<key id>`; nothing is verified. @throws MalformedNote */
export function signersOf(note: string): string[] {
  return parseNote(note).signatures.map(({ name, keyId }) => `${name}+${hexOf(keyId)}`);
}

function parseNote(note: Uint8Array | string): { text: string; signatures: Signature[] } {
  const whole = typeof note === 'string' ? note : decode(note);
  if (hasControl(whole) || !whole.isWellFormed()) throw new MalformedNote('a note has no control characters');
  const end = whole.lastIndexOf('\n\n');
  if (end === -1 || !whole.endsWith('\n'))
    throw new MalformedNote('a note is text, an empty line and signature lines');
  const lines = whole.slice(end + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES)
    throw new MalformedNote(`a note has at most ${MAX_SIGNATURES} signatures`);
  return { text: whole.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new MalformedNote('a note is UTF-8', { cause });
  }
}

function parseSignature(line: string): Signature {
  const [dash, name = '', encoded = '', ...more] = line.split(' ');
  const bytes = strictBase64(encoded);
  if (dash !== DASH || !isKeyName(name) || more.length > 0 || bytes === undefined || bytes.length < 5)
    throw new MalformedNote(`${JSON.stringify(line)} is no signature line`);
  return { name, keyId: bytes.readUInt32BE(0), signature: bytes.subarray(4) };
}
