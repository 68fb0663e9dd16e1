import { describe, expect, test } from 'vitest';
import { originHash, originHashOf } from '../../../src/domain/facts/origin-hash.ts';

describe('the hash of an origin', () => {
  test.each([
    ['', '', 1_048_514_723],
    ['a', 'b', 3_450_880_938],
    ['ab', '', 2_953_321_648],
    ['', 'ab', 1_641_208_630],
    ['https://p.example/prod', 'event-1', 3_048_951_216],
    ['ä', '€', 928_626_661],
  ])('for source "%s" and id "%s" is %d, whether or not the metadata are parsed', (source, id, hash) => {
    const metadata = { source, id };
    expect(originHash(source, id)).toBe(hash);
    expect(originHashOf({ metadata })).toBe(hash);
    expect(originHashOf({ metadata, json: { metadata: JSON.stringify(metadata) } })).toBe(hash);
  });

  test('is read from a text that begins with source and id, however it goes on', () => {
    const unread = { source: 'not read', id: 'not read' };
    expect(originHashOf({ metadata: unread, json: { metadata: '{"source":"a","id":"b","by":"c"}' } })).toBe(
      originHash('a', 'b'),
    );
  });

  test.each([
    ['another order', '{"id":"b","source":"a"}'],
    ['another key between them', '{"source":"a","by":"c","id":"b"}'],
    ['an escape', '{"source":"a","id":"\\u0062"}'],
    ['white space', '{ "source": "a", "id": "b" }'],
    ['no source', '{"by":"c"}'],
  ])('is that of the parsed metadata if their text has %s', (_, text) => {
    expect(originHashOf({ metadata: { source: 'a', id: 'b' }, json: { metadata: text } })).toBe(
      3_450_880_938,
    );
  });
});
