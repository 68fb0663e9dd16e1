import { describe, expect, test } from 'vitest';
import { deleted, registered, resumed, stopped, voided } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { sqlite, stores } from '../support/stores.ts';

/** Posts the same facts in the same order, singly and in batches, some of them rejected. Returns every answer. */
async function postAll(ledger: TestLedger): Promise<string[]> {
  const answers: string[] = [];
  const post = async (answer: Promise<{ text: string }>) =>
    answers.push(withoutRequestId((await answer).text));
  const id = (n: number) => ({ id: `fixed-${n}` });
  const at = (day: number) => `2026-03-${String(day).padStart(2, '0')}T08:00:00.000Z`;
  for (let n = 0; n < 10; n++) {
    const registration = { ...registered(`c${n}`, at(1 + n), `a${n % 3}`), ...id(n) };
    await post(ledger.post(registration));
    await post(ledger.post(registration));
    await post(ledger.post({ ...registered(`c${n}`, at(2), 'another'), ...id(100 + n) }));
    await post(ledger.postBinary({ ...stopped(`c${n}`, at(15)), ...id(200 + n) }));
    ledger.pass(1_000);
  }
  const batch = Array.from({ length: 30 }, (_, n) => [
    { ...registered(`d${n % 11}`, at(3), `a${n % 4}`), ...id(300 + n) },
    { ...deleted(`c${n % 13}`, at(20)), ...id(400 + n) },
    { ...resumed(`c${n % 10}`, at(18)), ...id(500 + n) },
    { ...registered(`c${n % 10}`, at(25), `a${n % 3}`), ...id(600 + n) },
    { ...stopped('c1', 'not a time'), ...id(700 + n) },
  ]).flat();
  await post(ledger.postBatch(batch));
  const { eventId } = JSON.parse(answers[0] as string) as { eventId: string };
  await post(ledger.post({ ...voided('c0', at(28), eventId), ...id(800) }));
  return answers;
}

function withoutRequestId(text: string): string {
  return text.replace(/"instance":"[^"]*",?/g, '');
}

async function allAnswers(ledger: TestLedger): Promise<string[]> {
  const reads = [
    '/v1/clusters?limit=1000',
    '/v1/accounts',
    '/v1/usage?period=2026-03&granularity=day',
    '/v1/usage?period=2026-03&asOf=17',
    '/v1/feed?limit=1000',
    '/v1/feed?after=33&limit=7',
    '/v1/rejected-events?limit=1000',
    '/v1/clusters/c1/billing',
    '/v1/clusters/c1/events',
  ];
  const answers = await Promise.all(reads.map(async (path) => (await ledger.get(path)).text));
  return answers;
}

describe.each(stores.filter((store) => store !== sqlite))('SQLite and $name', ({ connection }) => {
  test('give the same positions and byte-equal answers for the same facts in the same order', async () => {
    const [embedded, other] = await Promise.all([ledgerForTest(), ledgerForTest({ store: connection })]);
    expect(await postAll(other)).toEqual(await postAll(embedded));
    expect(await allAnswers(other)).toEqual(await allAnswers(embedded));
  });
});
