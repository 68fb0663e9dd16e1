import { beforeAll, describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../src/audit/canonical-json.ts';
import { readEvidenceFile } from '../../../src/audit/verify/evidence-file.ts';
import { failed } from '../../../src/audit/verify/outcome.ts';
import type { Parsed } from '../../support/evidence.ts';
import { contentsOf, smallLog, USAGE } from './small-log.ts';

let good: Parsed;

beforeAll(async () => {
  const log = smallLog();
  good = JSON.parse((await log.evidence(contentsOf(log))).toString('utf8'));
});

const bytesOf = (value: Parsed) => Buffer.from(`${canonicalJson(value)}\n`);

/** Returns why bytes are refused, after `format: `; `undefined` if they are read. */
function refusal(bytes: Uint8Array): string | undefined {
  try {
    readEvidenceFile(bytes);
    return undefined;
  } catch (error) {
    const { check, why } = failed(error);
    return `${check}: ${why}`;
  }
}

function refusalOf(change: (file: Parsed) => void): string | undefined {
  const file = structuredClone(good);
  change(file);
  return refusal(bytesOf(file));
}

describe('an evidence file', () => {
  test('is read as it is', () => {
    expect(readEvidenceFile(bytesOf(good))).toEqual(good);
  });

  test.each<[title: string, change: (file: Parsed) => void]>([
    ['without a beginning', ({ evidence }) => void delete evidence.beginning],
    [
      'without clusters, closings and proofs',
      ({ evidence }) => Object.assign(evidence, { clusters: [], closings: [], consistency: [] }),
    ],
    [
      'with 16 keys',
      ({ evidence }) => Object.assign(evidence, { keys: Array.from({ length: 16 }, () => 'k') }),
    ],
    ['of an account without a statement', ({ evidence }) => Object.assign(evidence, { statement: null })],
    [
      'with a usage in the place of the statement',
      ({ evidence }) => {
        delete evidence.statement;
        evidence.usage = USAGE;
      },
    ],
    [
      'without a kept checkpoint beside its proof',
      ({ evidence }) => void delete evidence.consistency[0].checkpoint,
    ],
  ])('%s is read', (_, change) => {
    expect(refusalOf(change)).toBeUndefined();
  });

  const members = [
    'accountId',
    'checkpoint',
    'closings',
    'clusters',
    'consistency',
    'format',
    'keys',
    'origin',
    'period',
  ];
  test.each(members)('is refused without the member %s', (member) => {
    expect(refusalOf(({ evidence }) => void delete evidence[member])).toBe(
      `format: evidence: must be an object with the member "${member}"`,
    );
  });

  const aMonth = 'a month, YYYY-MM';
  const aUuid = 'a UUID in lower case';
  const aNumber = 'a whole number from 0';
  test.each<[path: string, value: unknown, must: string]>([
    ['evidence', [], 'an object'],
    ['evidence.accountId', 1, 'text'],
    ['evidence.checkpoint', null, 'text'],
    ['evidence.closings', {}, 'a list'],
    ['evidence.closings[0]', 1, 'an object'],
    ['evidence.clusters', null, 'a list'],
    ['evidence.clusters[0].clusterId', 1, 'text'],
    ['evidence.clusters[0].facts', [], 'a list of at least 1; it has 0'],
    ['evidence.clusters[0].facts[1].index', -1, aNumber],
    ['evidence.clusters[0].facts[1].proof', 'x', 'base64'],
    ['evidence.clusters[0].facts[1].leaf', null, 'an object'],
    ['evidence.clusters[0].facts[1].leaf.data', [], 'an object'],
    ['evidence.clusters[0].facts[1].leaf.id', '00000000-0000-4000-8000-00000000000A', aUuid],
    ['evidence.clusters[0].facts[1].leaf.id', '00000000-0000-4000-8000-0000000000011', aUuid],
    ['evidence.clusters[0].facts[1].leaf.id', 'a00000000-0000-4000-8000-000000000001', aUuid],
    ['evidence.clusters[0].facts[1].leaf.id', '00000000-0000-4000-8000', aUuid],
    ['evidence.clusters[0].facts[1].leaf.metadata', 'x', 'an object'],
    ['evidence.clusters[0].facts[1].leaf.recordedAt', 1, 'text'],
    ['evidence.clusters[0].facts[1].leaf.revision', 1.5, aNumber],
    ['evidence.clusters[0].facts[1].leaf.stream', 1, 'text'],
    ['evidence.clusters[0].facts[1].leaf.type', 1, 'text'],
    ['evidence.consistency', 1, 'a list'],
    ['evidence.consistency[0].checkpoint', 1, 'text'],
    ['evidence.consistency[0].proof', '=', 'base64'],
    ['evidence.consistency[0].root', 1, 'base64'],
    ['evidence.consistency[0].size', '5', aNumber],
    ['evidence.format', 'cluster-ledger evidence v3', '"cluster-ledger evidence v2"'],
    ['evidence.keys', [], 'a list of 1 to 16; it has 0'],
    ['evidence.keys', Array.from({ length: 17 }, () => 'k'), 'a list of 1 to 16; it has 17'],
    ['evidence.keys[0]', 1, 'text'],
    ['evidence.origin', 1, 'text'],
    ['evidence.period', '2026-13', aMonth],
    ['evidence.beginning', 1, 'an object'],
    ['evidence.statement', 'x', 'an object'],
    ['evidence.usage', null, 'an object'],
    ['seal', 1, 'text'],
  ])('is refused if its %s is %j', (path, value, must) => {
    const keys = path.split(/[.[\]]+/).filter((key) => key !== '');
    const last = keys.pop() as string;
    const why = refusalOf((file) => {
      keys.reduce((parent, key) => parent[key], file)[last] = value;
    });
    expect(why).toBe(`format: ${path}: must be ${must}`);
  });

  test.each<[path: string, change: (file: Parsed) => void]>([
    ['the file', (file) => Object.assign(file, { note: 1 })],
    ['evidence', ({ evidence }) => Object.assign(evidence, { note: 1 })],
    ['evidence.closings[0]', ({ evidence }) => Object.assign(evidence.closings[0], { note: 1 })],
    ['evidence.closings[0].leaf', ({ evidence }) => Object.assign(evidence.closings[0].leaf, { note: 1 })],
    ['evidence.clusters[1]', ({ evidence }) => Object.assign(evidence.clusters[1], { note: 1 })],
    ['evidence.consistency[1]', ({ evidence }) => Object.assign(evidence.consistency[1], { note: 1 })],
  ])('is refused if there is a member more in %s', (path, change) => {
    expect(refusalOf(change)).toBe(`format: ${path}: must be an object without a member "note"`);
  });

  test.each<[path: string, member: string, change: (file: Parsed) => void]>([
    ['the file', 'evidence', (file) => void delete file.evidence],
    ['the file', 'seal', (file) => void delete file.seal],
    ['evidence.closings[0]', 'index', ({ evidence }) => void delete evidence.closings[0].index],
    ['evidence.closings[0]', 'leaf', ({ evidence }) => void delete evidence.closings[0].leaf],
    ['evidence.closings[0]', 'proof', ({ evidence }) => void delete evidence.closings[0].proof],
    ['evidence.closings[0].leaf', 'data', ({ evidence }) => void delete evidence.closings[0].leaf.data],
    ['evidence.clusters[0]', 'clusterId', ({ evidence }) => void delete evidence.clusters[0].clusterId],
    ['evidence.consistency[0]', 'size', ({ evidence }) => void delete evidence.consistency[0].size],
  ])('is refused if, in %s, there is not %s', (path, member, change) => {
    expect(refusalOf(change)).toBe(`format: ${path}: must be an object with the member "${member}"`);
  });

  test('must have a statement or a usage, and not both', () => {
    const why = 'format: evidence: must have a statement or a usage, and not both';
    expect(refusalOf(({ evidence }) => void delete evidence.statement)).toBe(why);
    expect(refusalOf(({ evidence }) => Object.assign(evidence, { usage: USAGE }))).toBe(why);
  });

  test('is refused, with the way out, if it is of the first release', () => {
    expect(
      refusalOf(({ evidence }) => Object.assign(evidence, { format: 'cluster-ledger evidence v1' })),
    ).toBe(
      'format: the file is of the format "cluster-ledger evidence v1"; this release reads "cluster-ledger evidence v2": ask the ledger for the evidence again, or use the release that made it',
    );
  });
});

describe('bytes', () => {
  test.each<[title: string, bytes: string, why: string]>([
    ['that are null', 'null\n', 'the file: must be an object'],
    ['that are a list', '[]\n', 'the file: must be an object'],
    ['of a file without evidence', '{}\n', 'the file: must be an object with the member "evidence"'],
    ['of a file whose evidence is null', '{"evidence":null,"seal":""}\n', 'evidence: must be an object'],
    [
      'without a newline',
      '{}',
      'it is not written as the ledger writes it (RFC 8785, then a newline) from character 2 on: ""',
    ],
    [
      'that are not canonical',
      '{"b":1, "aaaaaaaaaaaaaaaaaaaaaaaa":1}\n',
      'it is not written as the ledger writes it (RFC 8785, then a newline) from character 2 on: "b\\":1, \\"aaaaaaaaaaaaa"',
    ],
    [
      'that begin with white space',
      ' {}\n',
      'it is not written as the ledger writes it (RFC 8785, then a newline) from character 0 on: " {}\\n"',
    ],
  ])('%s are refused', (_, bytes, why) => {
    expect(refusal(Buffer.from(bytes))).toBe(`format: ${why}`);
  });

  test('are refused if they are not JSON in UTF-8', () => {
    for (const bytes of [[0x22, 0xff, 0x22], [0xef, 0xbb, 0xbf, 0x7b, 0x7d, 0x0a], [0x7b]])
      expect(refusal(Uint8Array.from(bytes))).toMatch(/^format: the file is not JSON in UTF-8: ./);
  });

  test.each<[title: string, text: string, byte: number | undefined]>([
    ['64 lists deep', `${'['.repeat(64)}${']'.repeat(64)}`, undefined],
    ['65 lists deep', `${'['.repeat(65)}${']'.repeat(65)}`, 64],
    ['65 objects deep', '{"a":'.repeat(65), 320],
    ['one after another', `[${'[],{},'.repeat(70)}0]`, undefined],
    ['in strings', `"${'[{'.repeat(70)}"`, undefined],
    ['in strings with escapes', `"\\"${'['.repeat(70)}\\\\"`, undefined],
    ['after a string with an escape', `["\\\\",${'['.repeat(64)}`, 69],
    ['after a string', `["",${'['.repeat(64)}`, 67],
  ])('are refused if brackets nest deeper than 64: %s', (_, text, byte) => {
    const why = refusal(Buffer.from(`${text}\n`));
    if (byte === undefined) expect(why).not.toMatch(/nested/);
    else expect(why).toBe(`format: at byte ${byte} the file is nested deeper than 64`);
  });
});
