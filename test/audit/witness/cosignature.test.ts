import { describe, expect, test } from 'vitest';
import { MalformedKey } from '../../../src/audit/note-key.ts';
import { WitnessKey } from '../../../src/audit/witness/cosignature.ts';
import { flipped } from '../leaves.ts';
import { Cosigner } from './cosigner.ts';

const TEXT = 'ledger.example/1\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n';
const TIME = 1_700_000_000;

const cosigner = new Cosigner();
const { key } = cosigner;
const [, id = ''] = key.split('+');
const encoded = key.split('+').slice(2).join('+');
const publicKey = Buffer.from(encoded, 'base64').subarray(1);
const keyOf = (bytes: Uint8Array) => `witness.example/w1+${id}+${Buffer.from(bytes).toString('base64')}`;

describe('the key of a witness', () => {
  test('has the name, and the first four bytes of the hash as its id', () => {
    const { name, keyId } = WitnessKey.parse(key);
    expect([name, keyId]).toEqual(['witness.example/w1', Number.parseInt(id, 16)]);
  });

  test.each([
    ['nothing', ''],
    ['a name only', 'witness.example/w1'],
    ['a name and an id only', `witness.example/w1+${id}`],
    ['no name', key.replace('witness.example/w1', '')],
    ['a name with a space', key.replace('witness', 'wit ness')],
    ['the type of a key that signs notes', keyOf(Buffer.concat([Buffer.of(1), publicKey]))],
    ['a key of 31 bytes', keyOf(Buffer.concat([Buffer.of(4), publicKey.subarray(1)]))],
    ['a key of 33 bytes', keyOf(Buffer.concat([Buffer.of(4), publicKey, Buffer.of(0)]))],
    ['base64 that is not strict', `${key}\n`],
    ['a further part', `${key}+AA`],
  ])('is rejected if it has %s', (_, text) => {
    expect(() => WitnessKey.parse(text)).toThrow(
      new MalformedKey(`${text} is not the key of a witness (C2SP tlog-cosignature, type 4)`),
    );
  });

  test.each([
    ['another id', key.replace(`+${id}+`, '+00000000+')],
    ['a longer id', key.replace(`+${id}+`, `+${id}0+`)],
    ['another name', key.replace('/w1+', '/w2+')],
  ])('is rejected if it has %s', (_, text) => {
    expect(() => WitnessKey.parse(text)).toThrow(
      new MalformedKey(`the key id in ${text} does not match its key`),
    );
  });
});

describe('a cosignature', () => {
  const witness = WitnessKey.parse(key);
  const line = cosigner.cosign(TEXT, TIME);
  const signature = cosigner.signature(TEXT, TIME);
  const lineOf = (bytes: Uint8Array) => `— witness.example/w1 ${Buffer.from(bytes).toString('base64')}`;

  test('has the time at which the witness cosigned', () => {
    expect(lineOf(signature)).toBe(line);
    expect([TIME, 0, 2 ** 32].map((time) => witness.timeOf(cosigner.cosign(TEXT, time), TEXT))).toEqual([
      TIME,
      0,
      2 ** 32,
    ]);
  });

  test('is not valid for another text', () => {
    expect(witness.timeOf(line, TEXT.replace('\n0\n', '\n1\n'))).toBeUndefined();
  });

  test('is not valid if a bit of its key id, its time or its signature is flipped', () => {
    for (const bit of [0, 31, 32, 95, 96, 607])
      expect(witness.timeOf(lineOf(flipped(signature, bit)), TEXT), `bit ${bit}`).toBeUndefined();
  });

  test.each([
    ['a hyphen for its dash', line.replace('—', '-')],
    ['the name of another witness', line.replace('/w1', '/w2')],
    ['a further part', `${line} AAAA`],
    ['a newline at its end', `${line}\n`],
    ['no signature', '— witness.example/w1'],
    ['an empty signature', '— witness.example/w1 '],
    ['a byte too many', lineOf(Buffer.concat([signature, Buffer.of(0)]))],
    ['a byte too few', lineOf(signature.subarray(0, -1))],
    ['no text', ''],
  ])('is not valid if it has %s', (_, text) => {
    expect(witness.timeOf(text, TEXT)).toBeUndefined();
  });

  test('is not valid for another key of the same name', () => {
    expect(WitnessKey.parse(new Cosigner().key).timeOf(line, TEXT)).toBeUndefined();
  });
});
