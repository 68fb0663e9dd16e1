import { beforeAll, describe, expect, test } from 'vitest';
import { verifyEvidence } from '../../../src/audit/verify/verify-evidence.ts';
import { recordBegunPlatform } from '../../support/begun-platform.ts';
import { recordDispute } from '../../support/disputed.ts';
import { evidenceOf, publishedKeys } from '../../support/evidence.ts';
import { openLedger, type TestLedger } from '../../support/ledger.ts';
import { diceOf, mutations } from './mutations.ts';

describe.each<[platform: string, record: (ledger: TestLedger) => Promise<unknown>, changes: number]>([
  ['a platform with late facts and voids', recordDispute, 10_000],
  ['a platform with transfers and a beginning', recordBegunPlatform, 3_000],
])('the evidence file of %s', (_, record, count) => {
  let file: Buffer;
  let other: object;
  let keys: string[];

  beforeAll(async () => {
    const ledger = await openLedger();
    try {
      await record(ledger);
      file = await evidenceOf(ledger, 'acme', '2026-02', 5);
      other = JSON.parse((await evidenceOf(ledger, 'globex', '2026-02')).toString('utf8'));
      keys = await publishedKeys(ledger);
    } finally {
      await ledger.discard();
    }
  });

  test('verifies', () => {
    expect(verifyEvidence(file, { keys })).toMatchObject({
      ok: true,
      summary: { figure: 'statement', closings: 3 },
    });
  });

  test('does not verify after any of thousands of random changes', { timeout: 1_800_000 }, () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const dice = diceOf(seed);
    const kinds = Object.keys(mutations);
    const found = new Map<string, number>();
    for (let i = 0; i < count; i++) {
      const kind = kinds[i % kinds.length] as string;
      const mutation = mutations[kind] as (typeof mutations)[string];
      let changed = mutation(file, dice, other);
      while (changed.equals(file)) changed = mutation(file, dice, other);
      const verdict = verifyEvidence(changed, { keys });
      if (verdict.ok) throw new Error(`seed ${seed}, number ${i}: ${kind} was not found`);
      expect(verdict.why.length, `seed ${seed}, number ${i}`).toBeGreaterThan(10);
      found.set(verdict.check, (found.get(verdict.check) ?? 0) + 1);
    }
    // Each check has something to find.
    const expected = ['completeness', 'consistency', 'format', 'inclusion', 'seal', 'signature', 'statement'];
    expect([...found.keys()].sort(), `seed ${seed}`).toEqual(expected);
  });

  test('does not verify after a change of any of its bytes', { timeout: 1_800_000 }, () => {
    for (let at = 0; at < file.length; at += 7) {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] as number) ^ 1;
      const verdict = verifyEvidence(changed, { keys });
      if (verdict.ok) throw new Error(`byte ${at} is not vouched for: ${file.subarray(at - 20, at + 20)}`);
    }
  });
});
