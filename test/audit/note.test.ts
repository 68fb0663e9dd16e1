import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCheckpoint, MalformedCheckpoint, parseCheckpoint } from '../../src/audit/checkpoint-text.ts';
import {
  MalformedNote,
  openNote,
  signersOf,
  signNote,
  UnknownSigners,
  UntrustedNote,
} from '../../src/audit/note.ts';
import { hexOf, MalformedKey, NoteSigner, NoteVerifier } from '../../src/audit/note-key.ts';
import { flipped, treeOf } from './leaves.ts';

/** Example of https://c2sp.org/signed-note. */
const EXAMPLE_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const EXAMPLE_NOTE =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
/** Key and signature of the tests of golang.org/x/mod/sumdb/note. */
const PETER_SECRET = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const PETER_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const PETER_TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";

const [old, young] = [NoteSigner.generate('ledger.example/1'), NoteSigner.generate('ledger.example/1')];
const TEXT = 'ledger.example/1\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n';

describe('a key of a note', () => {
  test('is parsed from its verifier form and from its secret', () => {
    const verifier = NoteVerifier.parse(old.verifier.toString());
    expect(verifier.keyId).toBe(old.verifier.keyId);
    expect(NoteSigner.parse(old.secret).verifier.toString()).toBe(old.verifier.toString());
    expect(NoteVerifier.parse(EXAMPLE_KEY).toString()).toBe(EXAMPLE_KEY);
  });

  test('has the id and the signature that golang.org/x/mod/sumdb/note computes', () => {
    const peter = NoteSigner.parse(PETER_SECRET);
    expect(peter.verifier.toString()).toBe(PETER_KEY);
    expect(peter.secret).toBe(PETER_SECRET);
    expect(openNote(signNote(PETER_TEXT, [peter]), [NoteVerifier.parse(PETER_KEY)]).text).toBe(PETER_TEXT);
  });

  const notAKey = 'the key is not an Ed25519 key of a signed note';
  const otherId = (text: string) => `the key id in ${text} does not match its key`;
  test.each([
    ['without parts', 'example.com/foo', notAKey],
    ['without a key id and a key', 'example.com/foo+', notAKey],
    ['with another key id', EXAMPLE_KEY.replace('530d903a', '530d903b'), otherId],
    ['with a key id in capitals', EXAMPLE_KEY.replace('530d903a', '530D903A'), otherId],
    ['with another name', EXAMPLE_KEY.replace('foo', 'bar'), otherId],
    ['without a name', EXAMPLE_KEY.replace('example.com/foo', ''), '"" is not a key name'],
    [
      'with a space in the name',
      EXAMPLE_KEY.replace('foo', 'f\u00a0o'),
      '"example.com/f\u00a0o" is not a key name',
    ],
    ['of another type', EXAMPLE_KEY.replace('+Ae', '+Be'), notAKey],
    ['that is too short', EXAMPLE_KEY.slice(0, -4), 'an Ed25519 key has 32 bytes; given 29'],
    ['with base64 that is not strict', EXAMPLE_KEY.replace('U2k', 'U2l='), notAKey],
    ['with an end', `${EXAMPLE_KEY}\n`, notAKey],
    ['with a further part', `${EXAMPLE_KEY}+AA`, notAKey],
  ])('is rejected %s', (_, text, why) => {
    expect(() => NoteVerifier.parse(text)).toThrow(
      new MalformedKey(typeof why === 'string' ? why : why(text)),
    );
  });

  test('has a key id of eight digits, also if it begins with zeros', () => {
    expect([0, 0xab, 0xffff_ffff].map(hexOf)).toEqual(['00000000', '000000ab', 'ffffffff']);
  });

  test('is rejected as secret if it does not match its key id, and the error does not repeat it', () => {
    for (const [text, why] of [
      [PETER_KEY, 'a private key must begin with PRIVATE+KEY+'],
      [PETER_SECRET.replace('c74f', 'c75f'), 'the key id in the private key does not match its key'],
      [`${PETER_SECRET}=`, notAKey],
      [`${PETER_SECRET}+AA`, notAKey],
    ] as const)
      expect(() => NoteSigner.parse(text)).toThrow(new MalformedKey(why));
  });

  test('needs 32 bytes and a name without white space', () => {
    expect(() => new NoteSigner('two words', new Uint8Array(32))).toThrow(
      new MalformedKey('"two words" is not a key name'),
    );
    expect(() => new NoteSigner('name', new Uint8Array(31))).toThrow(
      new MalformedKey('an Ed25519 key has 32 bytes; given 31'),
    );
    expect(() => new NoteVerifier('name', new Uint8Array(33))).toThrow(
      new MalformedKey('an Ed25519 key has 32 bytes; given 33'),
    );
  });
});

describe('a signed note', () => {
  test('is verified: the example of the specification with the key of the specification', () => {
    const { text, signedBy } = openNote(Buffer.from(EXAMPLE_NOTE), [NoteVerifier.parse(EXAMPLE_KEY)]);
    expect([text, signedBy.map(String)]).toEqual(['This is an example message.\n', [EXAMPLE_KEY]]);
  });

  test('is trusted with either of its two keys, so that a key can be replaced', () => {
    const note = signNote(TEXT, [old, young]);
    for (const known of [[old], [young], [young, old]].map((signers) =>
      signers.map(({ verifier }) => verifier),
    )) {
      const { text, signedBy } = openNote(note, known);
      expect(text).toBe(TEXT);
      expect(new Set(signedBy)).toEqual(new Set(known));
    }
  });

  test('is not trusted without one of its keys', () => {
    const note = signNote(TEXT, [old]);
    const unknown = new UnknownSigners('none of the known keys has signed the note');
    expect(() => openNote(note, [young.verifier])).toThrow(unknown);
    expect(() => openNote(note, [])).toThrow(unknown);
    const renamed = note.replace('— ledger.example/1', '— ledger.example/2');
    expect(() => openNote(renamed, [old.verifier])).toThrow(unknown);
  });

  test('is signed once by a key that has two signature lines', () => {
    const [line] = signNote(TEXT, [old]).split('\n').slice(-2);
    const note = `${signNote(TEXT, [young, old])}${line}\n`;
    const { signedBy } = openNote(note, [old.verifier, young.verifier]);
    expect(signedBy.map(String)).toEqual([`${young.verifier}`, `${old.verifier}`]);
  });

  test('names its signers, known or not', () => {
    const [first, second] = [young, old].map(({ verifier }) => `ledger.example/1+${hexOf(verifier.keyId)}`);
    expect(signersOf(signNote(TEXT, [young, old]))).toEqual([first, second]);
    expect(signersOf('a\n\n— name AAAAAAA=\n')).toEqual(['name+00000000']);
    expect(() => signersOf(TEXT)).toThrow(MalformedNote);
  });

  test('is not trusted if the signature of one of two known keys is not valid', () => {
    const wrong = signNote('another\n', [young]).split('\n\n')[1];
    const known = [old.verifier, young.verifier];
    expect(() => openNote(signNote(TEXT, [old]) + wrong, known)).toThrow(
      new UntrustedNote('the signature of ledger.example/1 is not valid for this text'),
    );
  });

  test('keeps the empty lines of its text and no others', () => {
    const text = 'a\n\nb\n\n— c ZA==\n';
    expect(openNote(signNote(text, [old]), [old.verifier]).text).toBe(text);
  });

  test('keeps a byte order mark at its beginning, which is a part of the signed text', () => {
    const note = Buffer.from(signNote('\ufeffa\n', [old]));
    expect(openNote(note, [old.verifier]).text).toBe('\ufeffa\n');
  });

  test('is not trusted if any bit is flipped', () => {
    const note = Buffer.from(signNote(TEXT, [old]));
    for (let bit = 0; bit < note.length * 8; bit++) {
      const open = () => openNote(flipped(note, bit), [old.verifier]);
      expect(open, `bit ${bit}`).toThrow(/./);
    }
  });

  const [signature = ''] = signNote(TEXT, [old]).split('\n').slice(-2);
  const layout = 'a note must be text, an empty line and signature lines';
  const control = 'a note must not have control characters';
  const notASignature = (line: string) => `${JSON.stringify(line)} is not a signature line`;
  test.each([
    ['without signatures', TEXT, layout],
    ['with an empty block of signatures', `${TEXT}\n`, notASignature('')],
    ['whose last line has no end', `${TEXT}\n${signature}`, layout],
    ['with an empty line after the signatures', `${TEXT}\n${signature}\n\n`, notASignature('')],
    ['with a line among the signatures that is none', `${TEXT}\nmore\n${signature}\n`, notASignature('more')],
    ['with a carriage return', `${TEXT}\n${signature}\r\n`, control],
    ['with a tab in the text', `\t${TEXT}\n${signature}\n`, control],
    ['with half of a surrogate pair', `\ud800${TEXT}\n${signature}\n`, control],
    [
      'with more than 100 signatures',
      `${TEXT}\n${`${signature}\n`.repeat(101)}`,
      'a note has at most 100 signatures',
    ],
  ])('is rejected %s', (_, note, why) => {
    expect(() => openNote(note, [old.verifier])).toThrow(new MalformedNote(why));
  });

  test.each([
    ['with a hyphen for a dash', signature.replace('—', '-')],
    ['with two spaces', signature.replace(' ', '  ')],
    ['with a further part', `${signature} AAAA`],
    ['without a signature', '— name'],
    ['without a name', '—'],
    ['with base64 that is not strict', signature.replace(/=*$/, '')],
    ['with a signature that is too short', '— name AAAAAA=='],
    ['with a plus sign in a name', '— na+me AAAAAAA='],
  ])('is rejected if it has a signature line %s', (_, line) => {
    expect(() => openNote(`${TEXT}\n${line}\n`, [old.verifier])).toThrow(
      new MalformedNote(notASignature(line)),
    );
  });

  test('can have 100 signatures, and signatures of other algorithms that are as short as one byte', () => {
    const note = `${TEXT}\n${'— name AAAAAAA=\n'.repeat(99)}${signature}\n`;
    expect(openNote(note, [old.verifier]).signedBy).toEqual([old.verifier]);
  });

  test('is rejected if it is not UTF-8', () => {
    const note = Buffer.from(signNote('ä\n', [old]));
    expect(() => openNote(note.subarray(1), [old.verifier])).toThrow(
      new MalformedNote('a note must be UTF-8', { cause: expect.any(TypeError) }),
    );
  });

  test('needs a valid text and a key', () => {
    for (const text of ['no end', 'a\tb\n', 'a\ud800\n', ''])
      expect(() => signNote(text, [old])).toThrow(
        new MalformedNote('the text of a note must be lines without control characters'),
      );
    expect(() => signNote(TEXT, [])).toThrow(new MalformedNote('a note must have a signature'));
  });

  test('round-trips any valid text', () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/\p{Cc}/gu, ''));
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const text = `${lines.join('\n')}\n`;
        expect(openNote(Buffer.from(signNote(text, [old])), [old.verifier]).text).toBe(text);
      }),
    );
  });
});

describe('a checkpoint', () => {
  const root = treeOf(3).root();

  test('is three lines: origin, size and root', () => {
    const text = formatCheckpoint({ origin: 'cluster-ledger.local/main', size: 3, root });
    expect(text).toBe(`cluster-ledger.local/main\n3\n${Buffer.from(root).toString('base64')}\n`);
    expect(parseCheckpoint(text)).toEqual({
      origin: 'cluster-ledger.local/main',
      size: 3,
      root: Buffer.from(root),
    });
  });

  test('can have further lines, which are ignored', () => {
    expect(parseCheckpoint(`${TEXT}extension\nanother\n`)).toMatchObject({ size: 0 });
  });

  const tooFew = 'a checkpoint must have at least three lines';
  const empty = 'a checkpoint must not have an empty line';
  const notASize = (size: string) => `"${size}" is not a tree size`;
  const notARoot = (root: string) => `"${root}" is not a SHA-256 hash in base64`;
  const rootOf = (text: string) => TEXT.replace(/\S+\n$/, `${text}\n`);
  test.each([
    ['without an origin', TEXT.replace('ledger.example/1', ''), empty],
    ['with a zero before the size', TEXT.replace('\n0\n', '\n00\n'), notASize('00')],
    ['with a sign before the size', TEXT.replace('\n0\n', '\n+1\n'), notASize('+1')],
    ['with text after the size', TEXT.replace('\n0\n', '\n1 \n'), notASize('1 ')],
    ['with an exponent in the size', TEXT.replace('\n0\n', '\n1e3\n'), notASize('1e3')],
    [
      'with a size above 2^53 - 1',
      TEXT.replace('\n0\n', '\n9007199254740992\n'),
      notASize('9007199254740992'),
    ],
    ['with a root of 31 bytes', rootOf(`${'A'.repeat(42)}==`), notARoot(`${'A'.repeat(42)}==`)],
    ['with base64 that is not strict', rootOf(`${'A'.repeat(42)}B=`), notARoot(`${'A'.repeat(42)}B=`)],
    ['without text', '', tooFew],
    ['with two lines', 'ledger.example/1\n0\n', tooFew],
    ['without an end', TEXT.slice(0, -1), tooFew],
    ['with an extension without an end', `${TEXT}extension`, tooFew],
    ['with an empty line', `${TEXT}\n`, empty],
    ['with an empty line before an extension', `${TEXT}\nextension\n`, empty],
  ])('is rejected %s', (_, text, why) => {
    expect(() => parseCheckpoint(text)).toThrow(new MalformedCheckpoint(why));
  });

  test('has a size of up to 2^53 - 1', () => {
    for (const size of [0, 1, 10, 4_096, 9_007_199_254_740_991])
      expect(parseCheckpoint(TEXT.replace('\n0\n', `\n${size}\n`)).size).toBe(size);
  });

  test('cannot be formatted from invalid parts', () => {
    for (const more of [
      { origin: '' },
      { origin: 'two\nlines' },
      { size: -1 },
      { size: 0.5 },
      { root: root.subarray(1) },
    ])
      expect(() => formatCheckpoint({ origin: 'a', size: 1, root, ...more })).toThrow(MalformedCheckpoint);
  });
});
