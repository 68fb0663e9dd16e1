import { describe, expect, onTestFinished, test } from 'vitest';
import { verifyEvidence } from '../../src/audit/verify/verify-evidence.ts';
import { verifyStore } from '../../src/audit/verify/verify-store.ts';
import { verifyUrl } from '../../src/audit/verify/verify-url.ts';
import { firstBilledAt } from '../oracle/oracle.ts';
import { evidenceOf, publishedKeys } from '../support/evidence.ts';
import { bearer, createKey } from '../support/keys.ts';
import { openLedger, type TestLedger } from '../support/ledger.ts';
import { historyOf } from '../support/random-posts.ts';
import { double, sqlite } from '../support/stores.ts';
import { Player } from './player.ts';

/** Verifies the evidence of random histories with three closings. */
const RANDOM_SEEDS = Array.from({ length: 2 }, () => Math.floor(Math.random() * 2 ** 31));
const histories = [
  ...[1, 2026, 2_117_807_575, ...RANDOM_SEEDS].map((seed) => ({ ...sqlite, seed })),
  { ...double, seed: 2026 },
];

describe.each(histories)('the history of seed $seed on $name', ({ connection, seed }) => {
  test('is proved to each account, to readers of the log, and to the owner of the store', async () => {
    const ledger = await openLedger({ store: connection });
    onTestFinished(ledger.discard);
    const player = new Player(ledger);
    const closed: string[] = [];
    let older = { size: 0, note: '' };
    for (const [i, post] of historyOf(seed).entries()) {
      await player.play(post);
      if (i === 10) older = await signedNow(ledger);
      if (i % 17 === 16) closed.push(await closeNext(ledger, player, closed.at(-1)));
    }
    expect(closed).toHaveLength(3);
    const open = monthAfter(closed[2] as string);
    const accounts = [...new Set(player.accepted.map(({ accountId }) => accountId))].filter(
      (accountId) => accountId !== undefined,
    );
    expect(accounts.length).toBeGreaterThanOrEqual(2);
    const keys = await publishedKeys(ledger);

    for (const accountId of accounts) {
      for (const period of [...closed, open]) {
        const bytes = await evidenceOf(ledger, accountId, period, older.size);
        const verdict = verifyEvidence(bytes, { keys, olderCheckpoint: older.note });
        expect(verdict, `${accountId} ${period}`).toMatchObject({ ok: true, summary: { accountId, period } });
        noChangeIsMissed(bytes, keys);
        const { evidence } = JSON.parse(bytes.toString('utf8'));
        const stated = await ledger.get(`/v1/periods/${period}/statements/${accountId}`);
        if (period === open) expect(evidence.usage.usage.billableClusters).toBeTypeOf('number');
        else expect(evidence.statement).toEqual(stated.status === 404 ? null : stated.body);
      }
    }

    const [accountId] = accounts as [string];
    const evidence = await evidenceOf(ledger, accountId, closed[2] as string);
    const url = `http://127.0.0.1:${ledger.port}`;
    const asked = { url, keys, olderCheckpoint: older.note, evidence, statements: true };
    expect(await verifyUrl(asked)).toMatchObject({
      ok: true,
      summary: { closings: 3, consistentSince: older.size, evidence: { accountId } },
    });
    const head = await ledger.head();
    expect(await verifyStore(ledger.rooms.store, { keys })).toMatchObject({
      ok: true,
      summary: { size: head, closings: 3, statementsChecked: true },
    });

    // The files of customers have only the facts that the figure needs.
    const { key: by } = await createKey(ledger, undefined, { role: 'operator' });
    for (const accountId of accounts) {
      const { key } = await createKey(ledger, by, { role: 'customer', accountId });
      for (const period of [...closed, open]) {
        const path = `/v1/accounts/${accountId}/evidence?period=${period}`;
        const [own, whole] = [await ledger.get(path, bearer(key)), await ledger.get(path, bearer(by))];
        expect(verifyEvidence(Buffer.from(own.text), { keys }), `${accountId} ${period}`).toMatchObject({
          ok: true,
          summary: { accountId, period },
        });
        expect(JSON.parse(own.text).evidence.statement).toEqual(JSON.parse(whole.text).evidence.statement);
      }
    }
  });
});

/** A few bits of the file, changed one at a time. */
function noChangeIsMissed(bytes: Buffer, keys: readonly string[]): void {
  for (let i = 0; i < 20; i++) {
    const changed = Buffer.from(bytes);
    const at = Math.floor(Math.random() * bytes.length);
    changed[at] = (changed[at] as number) ^ (1 << (i % 8));
    expect(verifyEvidence(changed, { keys }), `bit ${i % 8} of byte ${at}`).toMatchObject({ ok: false });
  }
}

async function signedNow(ledger: TestLedger): Promise<{ size: number; note: string }> {
  const { text: note } = await ledger.fetch('/log/checkpoint', { method: 'POST' });
  return { size: Number(note.split('\n')[1]), note };
}

async function closeNext(
  ledger: TestLedger,
  { accepted }: Player,
  last: string | undefined,
): Promise<string> {
  const first = firstBilledAt(accepted);
  const period = last === undefined ? new Date(Number(first)).toISOString().slice(0, 7) : monthAfter(last);
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
  const { status, text } = await ledger.fetch(`/v1/periods/${period}/close`, post);
  expect(status, text).toBeLessThan(300);
  return period;
}

function monthAfter(period: string): string {
  const date = new Date(`${period}-01T00:00:00Z`);
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)).toISOString().slice(0, 7);
}
