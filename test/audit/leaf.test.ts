import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/audit/canonical-json.ts';
import { canonicalText } from '../../src/audit/canonical-text.ts';
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

const noInstant = (ms: number) => `${ms} is not an instant that RFC 3339 can represent`;

describe('the leaf of an event', () => {
  test('is its canonical JSON without its position in the log', () => {
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

  test('equals the output of the package canonicalize, at any instant', () => {
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

  test('can have 65,535 bytes and not one more; the error names the event', () => {
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
    ['half of a surrogate pair', { data: { text: 'a\ud800' } }, 'Lone surrogate is not allowed'],
    ['half of a surrogate pair in a key', { data: { 'a\udc00': 1 } }, 'Lone surrogate is not allowed'],
    ['half of a surrogate pair in its type', { type: '\ud800' }, 'Lone surrogate is not allowed'],
    ['a number that is none', { data: { n: Number.NaN } }, 'NaN is not allowed'],
    ['an instant after the year 9999', { recordedAt: 253_402_300_800_000 }, noInstant(253_402_300_800_000)],
    ['an instant before the year 0', { recordedAt: -62_167_219_200_001 }, noInstant(-62_167_219_200_001)],
    ['a part of a millisecond', { recordedAt: 0.5 }, noInstant(0.5)],
    ['an instant that is none', { recordedAt: Number.NaN }, noInstant(Number.NaN)],
  ])('cannot have %s', (_, more, why) => {
    const event = recorded({}, more);
    expect(() => leafText(event)).toThrow(
      new LeafError(`event ${event.id} (cluster-c1, revision 3) has no canonical form: ${why}`, {
        cause: new Error(why),
      }),
    );
  });

  test.each([
    [-62_167_219_200_000, '0000-01-01T00:00:00.000Z'],
    [-1, '1969-12-31T23:59:59.999Z'],
    [0, '1970-01-01T00:00:00.000Z'],
    [86_399_999, '1970-01-01T23:59:59.999Z'],
    [86_400_000, '1970-01-02T00:00:00.000Z'],
    [1_709_208_245_006, '2024-02-29T12:04:05.006Z'],
    [253_402_300_799_999, '9999-12-31T23:59:59.999Z'],
  ])('has the instant %d as %s', (recordedAt, instant) => {
    expect(leafText(recorded({}, { recordedAt }))).toContain(`"recordedAt":"${instant}"`);
  });

  test('is the same from the stored texts of the event as from its values', () => {
    const event = recorded({ b: 1, a: [{ d: 0.5, c: 'ä' }] }, { metadata: { z: null, actor: 'x' } });
    const json = { data: JSON.stringify(event.data), metadata: JSON.stringify(event.metadata) };
    const inStore = { ...event, json, data: {}, metadata: {} };
    expect(leafText(inStore)).toBe(leafText(event));
    expect(leafText(event)).toContain('{"data":{"a":[{"c":"ä","d":0.5}],"b":1},');
  });
});

describe('canonical JSON', () => {
  test('sorts members by UTF-16 code units (RFC 8785, section 3.2.3)', () => {
    const object = { '\u20ac': 5, '\r': 1, '\ufb33': 7, '1': 2, '\ud83d\ude00': 6, '\u0080': 3, '\u00f6': 4 };
    const values = canonicalJson(object).match(/(?<=:)\d/g);
    expect(values).toEqual(['1', '2', '3', '4', '5', '6', '7']);
  });

  test('writes the numbers of RFC 8785, appendix B', () => {
    const numbers = [
      0, -0, 5e-324, 1.7976931348623157e308, 9007199254740992, 295147905179352830000, 1e21, 1e-7,
    ];
    expect(canonicalJson(numbers)).toBe(
      '[0,0,5e-324,1.7976931348623157e+308,9007199254740992,295147905179352830000,1e+21,1e-7]',
    );
  });

  test('equals the output of the package canonicalize for any value, however often its keys were seen', () => {
    const value = fc.jsonValue({ stringUnit: 'binary' });
    fc.assert(
      fc.property(fc.array(value), (values) => {
        for (const each of [...values, ...values])
          expect(canonicalJson(each as never)).toBe(canonicalize(each));
      }),
      { numRuns: 500 },
    );
  });

  test('omits undefined members and has no limit of depth', () => {
    expect(canonicalJson({ a: undefined, b: 1, c: undefined })).toBe('{"b":1}');
    expect(canonicalJson({ a: undefined })).toBe('{}');
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    expect(canonicalJson(JSON.parse(deep))).toBe(deep);
  });
});

describe('canonical JSON of a text', () => {
  const same = (text: string, kind: string) =>
    expect(canonicalText(text, kind), text).toBe(canonicalize(JSON.parse(text)));
  const key = fc.constantFrom('a', 'b', 'c', 'Z', '_1', '10', '9', 'a.b', 'ä', '__proto__', '');
  const scalar = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('', '"', '\\', '\n', '\u0000', '\u007f', '\u2028', '😀', '$1', '$&', ',"a":1'),
    fc.integer(),
    fc.double(),
    fc.constantFrom(null, true, false, -0, 1e21, 999_999_999_999_999, 9_007_199_254_740_991),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      scalar,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((members) => Object.fromEntries(members)),
    ),
  }));

  test('equals the canonical JSON of its value, in any order of members and however often its shape was seen', () => {
    // Each shape occurs with many values, so that a shape learned from one text is used for others.
    const values = fc
      .uniqueArray(key, { maxLength: 5 })
      .chain((keys) =>
        fc.array(fc.tuple(...keys.map(() => value)), { maxLength: 6 }).map((rows) => [keys, rows] as const),
      );
    fc.assert(
      fc.property(values, fc.nat(20), ([keys, rows], kind) => {
        for (const row of rows) {
          const members = keys.map((name, i) => `${JSON.stringify(name)}:${JSON.stringify(row[i])}`);
          same(`{${members.join(',')}}`, `${kind}`);
          same(`{${members.toReversed().join(',')}}`, `${kind}`);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('equals the canonical JSON of its value if the text is not written by JSON.stringify', () => {
    const first = '{"b":"x","a":{"d":1,"c":2}}';
    same(first, 'odd');
    for (const text of [
      first,
      '{"b":"y","a":{"d":0,"c":-1}}',
      '{ "b":"x","a":{"d":1,"c":2}}',
      '{"b":"x","a":{"d":1,"c":2}}\n',
      '{"b":"x","b":"y","a":{"d":1,"c":2}}',
      '{"b":"x","a":{"d":1,"c":2},"a":{"d":1,"c":3}}',
      '{"b":"\\u0041","a":{"d":1,"c":2}}',
      '{"b":"\\ud83d\\ude00","a":{"d":1,"c":2}}',
      '{"b":"😀","a":{"d":1,"c":2}}',
      '{"b":-0,"a":{"d":1.0,"c":2}}',
      '{"b":1e3,"a":{"d":9007199254740993,"c":2}}',
      '{"b":[],"a":{"d":1,"c":2}}',
      '{"b":{},"a":{"d":1,"c":2}}',
      '{"b":"x","a":{"d":1,"c":2},"A":3}',
      '[1]',
      '"text"',
      '7',
    ])
      same(text, 'odd');
  });

  test.each([
    '{"b":"x","a":{"d":01,"c":2}}',
    '{"b":"x","a":{"d":1,"c":2}',
    '{"b":"\t","a":{"d":1,"c":2}}',
    '',
  ])('does not exist for %j, which is not JSON', (text) => {
    same('{"b":"x","a":{"d":1,"c":2}}', 'none');
    expect(() => canonicalText(text, 'none')).toThrow(SyntaxError);
  });

  test('has no limit of depth or of the number of shapes', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const deep = `${open.repeat(9_000)}1${close.repeat(9_000)}`;
      expect(canonicalText(deep, 'deep')).toBe(deep);
    }
    for (let n = 0; n < 2_000; n++) same(`{"z":1,"k${n}":"v"}`, `many ${n % 100}`);
  });

  test('rejects a lone surrogate', () => {
    expect(() => canonicalText('{"a":"\\ud800"}', 'x')).toThrow();
  });
});

describe('the hash of a leaf', () => {
  test('is SHA-256 of a zero byte and the UTF-8 bytes of the leaf, from bytes and from text', () => {
    const text = '{"a":"ä€😀\\u0000"}';
    const expected = createHash('sha256').update(Buffer.of(0)).update(text).digest('hex');
    const target = Buffer.alloc(32);
    hashLeaf(text, target);
    const bytes = new TextEncoder().encode(text);
    expect([hex(target), hex(leafHash(text)), hex(leafHash(bytes))]).toEqual([expected, expected, expected]);
  });

  test('covers the whole text, up to the largest leaf and the widest characters', () => {
    const target = Buffer.alloc(32);
    for (const text of ['', 'a', 'a'.repeat(65_535), '€'.repeat(21_845), '€'.repeat(65_535)]) {
      hashLeaf(text, target);
      expect(hex(target)).toBe(hex(leafHash(text)));
    }
    expect(() => hashLeaf('a'.repeat(65_536), target)).toThrow(
      new RangeError('a leaf cannot have 65536 characters'),
    );
  });
});
