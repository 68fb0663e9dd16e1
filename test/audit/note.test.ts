import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCheckpoint, MalformedCheckpoint, parseCheckpoint } from '../../src/audit/checkpoint-text.ts';
import { MalformedNote, openNote, signNote, UntrustedNote } from '../../src/audit/note.ts';
import { MalformedKey, NoteSigner, NoteVerifier } from '../../src/audit/note-key.ts';
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

  test.each([
    ['without parts', 'example.com/foo'],
    ['with another key id', EXAMPLE_KEY.replace('530d903a', '530d903b')],
    ['with a key id in capitals', EXAMPLE_KEY.replace('530d903a', '530D903A')],
    ['with another name', EXAMPLE_KEY.replace('foo', 'bar')],
    ['without a name', EXAMPLE_KEY.replace('example.com/foo', '')],
    ['with a space in the name', EXAMPLE_KEY.replace('foo', 'f\u00a0o')],
    ['of another type', EXAMPLE_KEY.replace('+Ae', '+Be')],
    ['that is too short', EXAMPLE_KEY.slice(0, -4)],
    ['with base64 that is not strict', EXAMPLE_KEY.replace('U2k', 'U2l=')],
    ['with an end', `${EXAMPLE_KEY}\n`],
  ])('is rejected %s', (_, text) => {
    expect(() => NoteVerifier.parse(text)).toThrow(MalformedKey);
  });

  test('is rejected as secret if it does not match its key id, and the error does not repeat it', () => {
    for (const text of [PETER_KEY, PETER_SECRET.replace('c74f', 'c75f'), `${PETER_SECRET}=`]) {
      expect(() => NoteSigner.parse(text)).toThrow(MalformedKey);
      expect(() => NoteSigner.parse(text)).not.toThrow(/AYEKFAL/);
    }
    expect(() => new NoteSigner('two words', new Uint8Array(32))).toThrow(MalformedKey);
    expect(() => new NoteSigner('name', new Uint8Array(31))).toThrow(MalformedKey);
    expect(() => new NoteVerifier('name', new Uint8Array(33))).toThrow(MalformedKey);
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
    expect(() => openNote(signNote(TEXT, [old]), [young.verifier])).toThrow(UntrustedNote);
    expect(() => openNote(signNote(TEXT, [old]), [])).toThrow(UntrustedNote);
  });

  test('is not trusted if the signature of one of two known keys is not valid', () => {
    const wrong = signNote('another\n', [young]).split('\n\n')[1];
    const known = [old.verifier, young.verifier];
    expect(() => openNote(signNote(TEXT, [old]) + wrong, known)).toThrow(UntrustedNote);
  });

  test('keeps the empty lines of its text and no others', () => {
    const text = 'a\n\nb\n\n— c ZA==\n';
    expect(openNote(signNote(text, [old]), [old.verifier]).text).toBe(text);
  });

  test('is not trusted if any bit is flipped', () => {
    const note = Buffer.from(signNote(TEXT, [old]));
    for (let bit = 0; bit < note.length * 8; bit++) {
      const open = () => openNote(flipped(note, bit), [old.verifier]);
      expect(open, `bit ${bit}`).toThrow(/./);
    }
  });

  const [signature = ''] = signNote(TEXT, [old]).split('\n').slice(-2);
  test.each([
    ['without signatures', TEXT],
    ['with an empty block of signatures', `${TEXT}\n`],
    ['whose last line has no end', `${TEXT}\n${signature}`],
    ['with an empty line after the signatures', `${TEXT}\n${signature}\n\n`],
    ['with a line among the signatures that is none', `${TEXT}\nmore\n${signature}\n`],
    ['with a carriage return', `${TEXT}\n${signature}\r\n`],
    ['with a tab in the text', `\t${TEXT}\n${signature}\n`],
    ['with a hyphen for a dash', `${TEXT}\n${signature.replace('—', '-')}\n`],
    ['with two spaces', `${TEXT}\n${signature.replace(' ', '  ')}\n`],
    ['with base64 that is not strict', `${TEXT}\n${signature.replace(/=*$/, '')}\n`],
    ['with a signature that is too short', `${TEXT}\n— name AAAAAA==\n`],
    ['with a plus sign in a name', `${TEXT}\n— na+me AAAAAAA=\n`],
    ['with more than 100 signatures', `${TEXT}\n${`${signature}\n`.repeat(101)}`],
  ])('is rejected %s', (_, note) => {
    expect(() => openNote(note, [old.verifier])).toThrow(MalformedNote);
  });

  test('is rejected if it is not UTF-8', () => {
    const note = Buffer.from(signNote('ä\n', [old]));
    expect(() => openNote(Buffer.concat([note.subarray(1)]), [old.verifier])).toThrow(MalformedNote);
  });

  test('needs a valid text and a key', () => {
    for (const text of ['no end', 'a\tb\n', 'a\ud800\n', ''])
      expect(() => signNote(text, [old])).toThrow(MalformedNote);
    expect(() => signNote(TEXT, [])).toThrow(MalformedNote);
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

  test.each([
    ['without an origin', TEXT.replace('ledger.example/1', '')],
    ['with a zero before the size', TEXT.replace('\n0\n', '\n00\n')],
    ['with a sign before the size', TEXT.replace('\n0\n', '\n+1\n')],
    ['with a size that cannot be counted', TEXT.replace('\n0\n', '\n9007199254740993\n')],
    ['with a root of 31 bytes', TEXT.replace(/\S+\n$/, `${'A'.repeat(42)}==\n`)],
    ['with base64 that is not strict', TEXT.replace('SuFU=', 'SuFV=')],
    ['with two lines', TEXT.split('\n').slice(0, 2).join('\n')],
    ['without an end', TEXT.slice(0, -1)],
    ['with an empty line', `${TEXT}\n`],
  ])('is rejected %s', (_, text) => {
    expect(() => parseCheckpoint(text)).toThrow(MalformedCheckpoint);
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
