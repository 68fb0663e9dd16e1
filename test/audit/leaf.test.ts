import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/audit/canonical-json.ts';
import { hashLeaf, LeafError, leafHash, leafText } from '../../src/audit/leaf.ts';
import type { NewEvent, RecordedEvent } from '../../src/eventstore/event-store.ts';
import { anEvent } from '../support/store-events.ts';
import { hex } from './leaves.ts';

const recorded = (data: NewEvent['data'], more: Partial<RecordedEvent> = {}): RecordedEvent => ({
  ...anEvent(data),
  stream: 'cluster-c1',
  revision: 3,
  ...more,
});

describe('the leaf of an event', () => {
  test('is its canonical JSON, without its place in the log', () => {
    const event = {
      ...recorded({ b: 1, a: 'ä€😀' }, { metadata: { id: 'e1', actor: 'x' } }),
      id: '0a1b2c3d-4e5f-6a7b-8c9d-000000000001',
      position: 17,
    };
    expect(leafText(event)).toBe(
      '{"data":{"a":"ä€😀","b":1},"id":"0a1b2c3d-4e5f-6a7b-8c9d-000000000001",' +
        '"metadata":{"actor":"x","id":"e1"},"recordedAt":"2023-11-14T22:13:20.000Z","revision":3,' +
        '"stream":"cluster-c1","type":"SomethingHappened"}',
    );
  });

  test('is what the package canonicalize makes of the same members, at any instant', () => {
    const instants = fc.date({
      min: new Date(0),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), instants, (data, at) => {
        const event = recorded(data as NewEvent['data'], { recordedAt: at.getTime() });
        const { id, metadata, revision, stream, type } = event;
        const members = { type, stream, revision, recordedAt: at.toISOString(), metadata, id, data };
        expect(leafText(event)).toBe(canonicalize(members));
      }),
    );
  });

  test('may have 65,535 bytes and not one more; the error names the event', () => {
    const bytes = Buffer.byteLength(leafText(recorded({ text: '' })));
    const room = 65_535 - bytes;
    const full = leafText(recorded({ text: `é${'x'.repeat(room - 2)}` }));
    expect(Buffer.byteLength(full)).toBe(65_535);
    const event = recorded({ text: `é${'x'.repeat(room - 1)}` });
    expect(() => leafText(event)).toThrow(LeafError);
    expect(() => leafText(event)).toThrow(
      `event ${event.id} (cluster-c1, revision 3) has 65536 bytes; a leaf has at most 65535`,
    );
  });

  test.each([
    ['half of a surrogate pair', { data: { text: 'a\ud800' } }],
    ['half of a surrogate pair in a key', { data: { 'a\udc00': 1 } }],
    ['a number that is none', { data: { n: Number.NaN } }],
    ['an instant that RFC 3339 cannot write', { recordedAt: 253_402_300_800_000 }],
    ['an instant that is none', { recordedAt: Number.NaN }],
  ])('cannot hold %s', (_, more) => {
    expect(() => leafText(recorded({}, more))).toThrow(LeafError);
  });
});

describe('canonical JSON', () => {
  test('has its members in the order of UTF-16 code units (RFC 8785, §3.2.3)', () => {
    const object = { '\u20ac': 5, '\r': 1, '\ufb33': 7, '1': 2, '\ud83d\ude00': 6, '\u0080': 3, '\u00f6': 4 };
    const values = canonicalJson(object).match(/(?<=:)\d/g);
    expect(values).toEqual(['1', '2', '3', '4', '5', '6', '7']);
  });

  test('writes numbers as RFC 8785, appendix B has them', () => {
    const numbers = [
      0, -0, 5e-324, 1.7976931348623157e308, 9007199254740992, 295147905179352830000, 1e21, 1e-7,
    ];
    expect(canonicalJson(numbers)).toBe(
      '[0,0,5e-324,1.7976931348623157e+308,9007199254740992,295147905179352830000,1e+21,1e-7]',
    );
  });

  test('is that of the package canonicalize for any value, however often its keys are seen', () => {
    const value = fc.jsonValue({ stringUnit: 'binary' });
    fc.assert(
      fc.property(fc.array(value), (values) => {
        for (const each of [...values, ...values])
          expect(canonicalJson(each as never)).toBe(canonicalize(each));
      }),
      { numRuns: 500 },
    );
  });

  test('leaves members out that are undefined, and has no limit to depth', () => {
    expect(canonicalJson({ a: undefined, b: 1, c: undefined })).toBe('{"b":1}');
    expect(canonicalJson({ a: undefined })).toBe('{}');
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    expect(canonicalJson(JSON.parse(deep))).toBe(deep);
  });
});

describe('the hash of a leaf', () => {
  test('is SHA-256 of a zero byte and its UTF-8, in each of its forms', () => {
    const text = '{"a":"ä€😀\\u0000"}';
    const expected = createHash('sha256').update(Buffer.of(0)).update(text).digest('hex');
    const target = Buffer.alloc(32);
    hashLeaf(text, target);
    expect([hex(target), hex(leafHash(text)), hex(leafHash(Buffer.from(text)))]).toEqual([
      expected,
      expected,
      expected,
    ]);
  });

  test('is that of the whole text, up to the largest leaf and the widest characters', () => {
    const target = Buffer.alloc(32);
    for (const text of ['', 'a', 'a'.repeat(65_535), '€'.repeat(21_845), '€'.repeat(65_535)]) {
      hashLeaf(text, target);
      expect(hex(target)).toBe(hex(leafHash(text)));
    }
    expect(() => hashLeaf('a'.repeat(65_536), target)).toThrow(RangeError);
  });
});
