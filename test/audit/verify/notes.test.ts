import { describe, expect, test } from 'vitest';
import { formatCheckpoint } from '../../../src/audit/checkpoint-text.ts';
import { signNote } from '../../../src/audit/note.ts';
import { NoteSigner } from '../../../src/audit/note-key.ts';
import { isSignedByAny, openCheckpoint, openSigned, readKeys } from '../../../src/audit/verify/notes.ts';
import { failed } from '../../../src/audit/verify/outcome.ts';

const signerOf = (name: string, seed: number) => new NoteSigner(name, new Uint8Array(32).fill(seed));
const ledger = signerOf('ledger.example', 1);
const stranger = signerOf('stranger.example', 2);
const keys = [ledger.verifier];
const root = new Uint8Array(32).fill(7);
const checkpoint = { origin: 'ledger.example/log', size: 3, root };
const note = signNote(formatCheckpoint(checkpoint), [ledger]);

function refusal(read: () => unknown) {
  try {
    return read();
  } catch (error) {
    const { check, why } = failed(error);
    return `${check}: ${why}`;
  }
}

describe('the keys that are given', () => {
  test('are read in verifier form, with white space around them', () => {
    const text = ledger.verifier.toString();
    expect(readKeys([text, ` ${text}\n`]).map(String)).toEqual([text, text]);
  });

  test('must be at least one', () => {
    expect(refusal(() => readKeys([]))).toBe('signature: no key was given to verify signatures with');
    expect(refusal(() => readKeys([], 'seal'))).toBe('seal: no key was given to verify signatures with');
  });

  test('must be keys', () => {
    expect(refusal(() => readKeys(['a b']))).toBe(
      'signature: the key "a b" is none: the key is not an Ed25519 key of a signed note',
    );
    expect(refusal(() => readKeys(['x'], 'seal'))).toMatch(/^seal: the key "x" is none: /);
  });
});

describe('a signed note', () => {
  test('is opened by a key that has signed it', () => {
    expect(openSigned('the note', note, keys)).toEqual({
      text: formatCheckpoint(checkpoint),
      signedBy: keys,
    });
  });

  test.each<[what: string, note: string, why: string]>([
    [
      'nobody that is known has signed',
      signNote('x\n', [stranger]),
      'none of the known keys has signed the note',
    ],
    [
      'was changed',
      note.replace('\n3\n', '\n4\n'),
      'the signature of ledger.example is not valid for this text',
    ],
    ['is none', 'x', 'a note must be text, an empty line and signature lines'],
  ])('is refused if it %s', (_, given, why) => {
    expect(refusal(() => openSigned('the note', given, keys))).toBe(
      `signature: the note is not signed by a key that was given: ${why}`,
    );
    expect(refusal(() => openSigned('the note', given, keys, 'seal'))).toBe(
      `seal: the note is not signed by a key that was given: ${why}`,
    );
  });

  test('counts as signed unless none of the keys stands under it', () => {
    expect(isSignedByAny(note, keys)).toBe(true);
    expect(isSignedByAny(note, [stranger.verifier])).toBe(false);
    expect(isSignedByAny(note.replace('\n3\n', '\n4\n'), keys)).toBe(true);
    expect(isSignedByAny('x', keys)).toBe(true);
  });
});

describe('a signed checkpoint', () => {
  const open = (given: string, origin?: string) => openCheckpoint('the note', given, keys, origin);

  test('is read with its origin, its size and its root, of the log that is meant or of any', () => {
    for (const origin of [undefined, 'ledger.example/log']) {
      const opened = open(note, origin);
      expect({ ...opened, root: Uint8Array.from(opened.root) }).toEqual(checkpoint);
    }
  });

  test('is refused if it is of another log', () => {
    expect(refusal(() => open(note, 'other.example'))).toBe(
      'signature: the note is of the log ledger.example/log, not of other.example',
    );
    expect(refusal(() => openCheckpoint('the note', note, keys, 'other.example', 'consistency'))).toBe(
      'consistency: the note is of the log ledger.example/log, not of other.example',
    );
  });

  test('is refused if it is signed and is not a checkpoint', () => {
    expect(refusal(() => open(signNote('x\n', [ledger])))).toBe(
      'signature: the note is not a checkpoint: a checkpoint must have at least three lines',
    );
  });

  test('is refused if it is not signed, by the check that reads it', () => {
    const unsigned = signNote('x\n', [stranger]);
    expect(refusal(() => openCheckpoint('the note', unsigned, keys, undefined, 'consistency'))).toBe(
      'consistency: the note is not signed by a key that was given: none of the known keys has signed the note',
    );
  });
});
