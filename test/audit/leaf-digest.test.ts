import { expect, test } from 'vitest';
import { LeafError, leafHash, leafText } from '../../src/audit/leaf.ts';
import { digestOf } from '../../src/audit/leaf-digest.ts';
import { anEvent } from '../support/store-events.ts';
import { hex } from './leaves.ts';

const logged = (text: string) => ({ ...anEvent({ text }), stream: 'cluster-c1', revision: 0, position: 1 });

test('the digest of an event is the hash of its leaf, in 32 bytes that each call writes again', () => {
  const [first, second] = [logged('ä€😀'), logged('another')];
  const digest = digestOf(first);
  expect(digest).toHaveLength(32);
  expect(hex(digest)).toBe(hex(leafHash(leafText(first))));
  expect(digestOf(second)).toBe(digest);
  expect(hex(digest)).toBe(hex(leafHash(leafText(second))));
});

test('an event that cannot be a leaf has no digest', () => {
  expect(() => digestOf(logged('x'.repeat(65_535)))).toThrow(LeafError);
});
