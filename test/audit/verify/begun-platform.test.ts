import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { verifyEvidence } from '../../../src/audit/verify/verify-evidence.ts';
import { verifyStore } from '../../../src/audit/verify/verify-store.ts';
import { verifyUrl } from '../../../src/audit/verify/verify-url.ts';
import { SqliteStore } from '../../../src/eventstore/sqlite/sqlite-store.ts';
import { recordBegunPlatform } from '../../support/begun-platform.ts';
import { evidenceOf, forged, type Parsed, publishedKeys } from '../../support/evidence.ts';
import { openLedger, type TestLedger } from '../../support/ledger.ts';

const ACCOUNTS = ['acme', 'globex', 'initech'];
const PERIODS = ['2026-01', '2026-02', '2026-03'];

let folder: string;
let file: string;
let ledger: TestLedger & { discard(): Promise<void> };
let keys: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-begun-'));
  file = join(folder, 'ledger.sqlite');
  ledger = await openLedger({ store: `sqlite:${file}` });
  await recordBegunPlatform(ledger);
  keys = await publishedKeys(ledger);
  await ledger.fetch('/log/checkpoint', { method: 'POST' });
});
afterAll(async () => {
  await ledger.discard();
  await rm(folder, { recursive: true, force: true });
});

const byLedger = (text: string) => ledger.rooms.signedLog.sign(text);
const url = () => `http://127.0.0.1:${ledger.port}`;

describe('the evidence of a platform that begins in the middle of its life', () => {
  test.each(
    ACCOUNTS.flatMap((account) => [...PERIODS, '2026-04'].map((period) => [account, period] as const)),
  )('verifies for %s and %s, alone and against the whole log', async (account, period) => {
    const evidence = await evidenceOf(ledger, account, period);
    expect(JSON.parse(evidence.toString('utf8')).evidence.beginning.leaf.type).toBe('BillingBegan');
    expect(verifyEvidence(evidence, { keys })).toMatchObject({ ok: true });
    expect(await verifyUrl({ url: url(), keys, evidence, statements: true })).toMatchObject({ ok: true });
  });

  test('includes the clusters that only a change has given to the account', async () => {
    const { evidence } = JSON.parse((await evidenceOf(ledger, 'initech', '2026-02')).toString('utf8'));
    expect(evidence.clusters.map(({ clusterId }: Parsed) => clusterId)).toEqual(['old1']);
    expect(evidence.statement.total.clusterSeconds).not.toBe('0.000');
  });

  test('never charges for the time before the beginning', async () => {
    for (const account of ACCOUNTS) {
      const { evidence } = JSON.parse((await evidenceOf(ledger, account, '2026-03')).toString('utf8'));
      for (const { period } of evidence.statement?.adjustments ?? []) expect(PERIODS).toContain(period);
    }
  });
});

describe('a sealed lie about the beginning', () => {
  test('is found in the whole log if the beginning is left out', async () => {
    const lie = forged(
      await evidenceOf(ledger, 'acme', '2026-01'),
      (evidence) => void delete evidence.beginning,
      byLedger,
    );
    expect(verifyEvidence(lie, { keys })).toMatchObject({ ok: true });
    expect(await verifyUrl({ url: url(), keys, evidence: lie })).toEqual({
      ok: false,
      check: 'completeness',
      why: expect.stringMatching(
        /the evidence lacks the event at position 4 of the log \(billing, revision 0\)/,
      ),
    });
  });

  test('is found in the file if the beginning is left out and an earlier period would be adjusted', async () => {
    const leaveOut = (evidence: Parsed) => void delete evidence.beginning;
    const lie = forged(await evidenceOf(ledger, 'acme', '2026-02'), leaveOut, byLedger);
    expect(verifyEvidence(lie, { keys })).toEqual({
      ok: false,
      check: 'statement',
      why: expect.stringMatching(
        /statement.adjustments\[0\].period is "2026-01"; by the facts it is "2025-12"/,
      ),
    });
  });

  test('is found in the file if another event is given as the beginning', async () => {
    const lie = (evidence: Parsed) => {
      evidence.beginning = evidence.closings[2];
    };
    expect(
      verifyEvidence(forged(await evidenceOf(ledger, 'acme', '2026-02'), lie, byLedger), { keys }),
    ).toEqual({
      ok: false,
      check: 'completeness',
      why: expect.stringMatching(/is not a beginning of statements/),
    });
  });
});

let copies = 0;

/** Verifies a copy of the store without its checkpoints, in which something was changed. */
async function verified(change: string) {
  const copy = join(folder, `copy-${copies++}.sqlite`);
  await copyFile(file, copy);
  const database = new DatabaseSync(copy);
  database.exec(`DELETE FROM state WHERE stream = '~log-checkpoints'; ${change}`);
  database.close();
  const store = await SqliteStore.open(copy);
  onTestFinished(() => store.close());
  return verifyStore(store, {});
}

const ofClosing = (period: string) => `WHERE stream = 'period-${period}'`;

describe('the store of a platform that begins in the middle of its life', () => {
  beforeAll(() => ledger.close());

  test('verifies with the statements of all its closings', async () => {
    expect(await verified('')).toMatchObject({ ok: true, summary: { closings: 3, statementsChecked: true } });
  });

  test.each<[lie: string, check: string, why: RegExp, change: string]>([
    [
      'the beginning names another period',
      'completeness',
      /closes 2026-01 first, but statements begin with 2025-11 \(position 4\)/,
      `UPDATE log SET data = replace(data, '2026-01', '2025-11') WHERE position = 4`,
    ],
    [
      'the beginning is of a type that is not known',
      'statement',
      /position 4 is not a beginning of statements/,
      `UPDATE log SET type = 'BillingEnded' WHERE position = 4`,
    ],
    [
      'a closing has rules of a later version',
      'statement',
      /2026-02 was closed by rules version 3: rules version 3 is not known to this verifier/,
      `UPDATE log SET data = replace(data, '"rules":2', '"rules":3') ${ofClosing('2026-02')}`,
    ],
    [
      'a closing does not name its rules, as in the first release',
      'statement',
      /rules version 1 is not known to this verifier/,
      `UPDATE log SET data = replace(data, ',"rules":2', '') ${ofClosing('2026-01')}`,
    ],
    [
      'a closing has a version of rules that is not a number',
      'completeness',
      /closes 2026-01 by rules "2", which is not a version/,
      `UPDATE log SET data = replace(data, '"rules":2', '"rules":"2"') ${ofClosing('2026-01')}`,
    ],
    [
      'a transfer names another account',
      'statement',
      /is not that of its facts: 2026-02/,
      `UPDATE log SET data = replace(data, 'initech', 'globex') WHERE position = 7`,
    ],
    [
      'a change names another type of cluster',
      'statement',
      /is not that of its facts: 2026-02.statementsDigest/,
      `UPDATE log SET data = replace(data, 'vcluster', 'workload') WHERE position = 8`,
    ],
  ])('does not verify if %s', async (_, check, why, change) => {
    expect(await verified(change)).toEqual({ ok: false, check, why: expect.stringMatching(why) });
  });
});
