import { expect, test } from 'vitest';
import { registered, STRUCTURED } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { seededRandom } from '../torture/seeded-random.ts';

const NAMES = [
  STRUCTURED,
  'application/cloudevents-batch+json',
  'application/json',
  'text/plain',
  'multipart/form-data',
];
const BETWEEN = [
  '',
  ' ',
  '\t',
  '  ',
  ';',
  ',',
  '/',
  '+',
  ';;',
  '; ',
  ' ;',
  '\t;',
  '%20',
  '"',
  '=',
  'é',
  '\\',
];
const PARAMETERS = [
  '',
  'charset=utf-8',
  'charset=utf-16',
  'charset="utf-8"',
  'boundary=x',
  'a=b;c=d',
  'q=0',
  'charset',
];

/** Makes content types that parsers have read in different ways: blanks, tabs and commas at odd places, other cases, parameters. */
function contentTypes(count: number): string[] {
  const random = seededRandom(7);
  const pick = (from: readonly string[]) => from[Math.floor(random() * from.length)] as string;
  return Array.from({ length: count }, () => {
    const name = pick(NAMES);
    const cased = random() < 0.3 ? name.toUpperCase() : name;
    const at = Math.floor(random() * cased.length);
    const broken = random() < 0.4 ? cased.slice(0, at) + pick(BETWEEN) + cased.slice(at) : cased;
    return pick(BETWEEN) + broken + pick(BETWEEN) + pick(PARAMETERS) + pick(BETWEEN);
  });
}

test('no content type makes the ledger take an event that is not valid: none of 300, each with 3 bodies', async () => {
  const ledger = await ledgerForTest();
  const valid = registered('c1', '2026-04-01T00:00:00.000Z');
  const { data, ...without } = valid;
  const bodies = [
    JSON.stringify({ ...valid, data: { ...data, accountId: 5 } }),
    JSON.stringify(without),
    JSON.stringify({ ...valid, data: { ...data, unknown: true } }),
  ];
  const taken: [type: string, status: number, body: string][] = [];
  for (const type of contentTypes(300))
    for (const payload of bodies) {
      const { statusCode } = await ledger.rooms.app.inject({
        method: 'POST',
        url: '/v1/events',
        headers: { 'content-type': type },
        payload,
      });
      if (statusCode < 400) taken.push([type, statusCode, payload]);
      else expect(statusCode, type).toBeLessThan(500);
    }
  expect(taken.filter(([, status]) => status !== 200)).toEqual([]);
  // A batch is answered 200 with a result for each of its events.
  expect((await ledger.get('/v1/clusters')).body.items).toEqual([]);
});
