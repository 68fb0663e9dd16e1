import { describe, expect, test } from 'vitest';
import { readLeaf } from '../../../src/audit/verify/leaf-bytes.ts';
import { failed } from '../../../src/audit/verify/outcome.ts';

const good = {
  data: { n: 1 },
  id: '0123abcd-0000-4000-8000-00000000000f',
  metadata: {},
  recordedAt: '2026-01-01T00:00:00.000Z',
  revision: 0,
  stream: 'cluster-c1',
  type: 'ClusterDeleted',
};
const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value));

function refusal(bytes: Uint8Array) {
  try {
    return readLeaf(7, bytes);
  } catch (error) {
    return failed(error);
  }
}

const refused = {
  ok: false,
  check: 'format',
  why: 'the entry at position 7 is not an event in canonical JSON',
};

describe('an entry of the log', () => {
  test('is the canonical JSON of an event', () => {
    expect(readLeaf(7, bytesOf(good))).toEqual(good);
    expect(readLeaf(7, bytesOf({ ...good, revision: 12 }))).toMatchObject({ revision: 12 });
  });

  test.each<[member: string, value: unknown]>([
    ['data', null],
    ['data', []],
    ['data', 'x'],
    ['metadata', null],
    ['metadata', []],
    ['metadata', 1],
    ['id', '0123ABCD-0000-4000-8000-00000000000F'],
    ['id', '0123abcd-0000-4000-8000-00000000000f0'],
    ['id', '00123abcd-0000-4000-8000-00000000000f'],
    ['id', '0123abcd00004000800000000000000f'],
    ['id', 1],
    ['recordedAt', 1],
    ['stream', 1],
    ['type', null],
    ['revision', -1],
    ['revision', 0.5],
    ['revision', '0'],
  ])('is refused if its %s is %j', (member, value) => {
    expect(refusal(bytesOf({ ...good, [member]: value }))).toEqual(refused);
  });

  const { type: _, ...withoutType } = good;
  test.each<[what: string, bytes: Uint8Array]>([
    ['a member more', bytesOf({ ...good, zone: 1 })],
    ['a member less', bytesOf(withoutType)],
    [
      'members in another order',
      bytesOf({ ...withoutType, data: good.data, type: good.type, id: good.id, zz: 1 }),
    ],
    ['white space', Buffer.from(` ${JSON.stringify(good)}`)],
    ['a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytesOf(good)])],
    ['bytes that are not UTF-8', Buffer.from(JSON.stringify(good).replace('c1', 'c\xff'), 'latin1')],
    ['a list', bytesOf([good])],
    ['null', bytesOf(null)],
    ['a number', bytesOf(1)],
    ['nothing', Buffer.alloc(0)],
  ])('is refused if it is %s', (_what, bytes) => {
    expect(refusal(bytes)).toEqual(refused);
  });

  test('is refused if parts of it are not in canonical order', () => {
    expect(refusal(bytesOf({ ...good, data: { b: 1, a: 1 } }))).toEqual(refused);
  });
});
