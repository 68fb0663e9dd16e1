import { createPublicKey, generateKeyPairSync, hash, sign, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import * as browsers from '../../web/verifier/node-crypto.ts';

describe('the cryptography of the verifier in browsers', () => {
  test('hashes as Node.js does, texts and bytes of any length', () => {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 1_000]) {
      const data = Buffer.alloc(length, 7);
      expect(browsers.hash('sha256', data, 'buffer')).toEqual(hash('sha256', data, 'buffer'));
    }
    expect(browsers.hash('sha256', 'süd 😀', 'buffer')).toEqual(hash('sha256', 'süd 😀', 'buffer'));
  });

  test('says of a signature what Node.js says: valid, of another text, changed, or cut', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const key = publicKey.export({ format: 'der', type: 'spki' });
    const text = Buffer.from('a note\n');
    const signature = sign(null, text, privateKey);
    const changed = Buffer.from(signature);
    changed[40] = (changed[40] ?? 0) ^ 1;
    const cases = [
      [text, signature],
      [Buffer.from('another note\n'), signature],
      [text, changed],
      [text, signature.subarray(1)],
      [text, Buffer.alloc(64)],
    ] as const;
    const inNode = createPublicKey({ key, format: 'der', type: 'spki' });
    const expected = cases.map(([data, given]) => verify(null, data, inNode, given));
    const inBrowsers = browsers.createPublicKey({ key });
    expect(cases.map(([data, given]) => browsers.verify(null, data, inBrowsers, given))).toEqual(expected);
    expect(expected).toEqual([true, false, false, false, false]);
  });

  test('refuses what it does not have', () => {
    expect(() => browsers.hash('sha512', '', 'buffer')).toThrow(
      'sha512 as buffer is not available in browsers',
    );
    expect(() => browsers.sign()).toThrow('browsers only verify');
  });
});
