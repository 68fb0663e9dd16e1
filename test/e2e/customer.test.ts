import { expect, onTestFinished, test } from 'vitest';
import { bearer, createKey } from '../support/keys.ts';
import { openLedger } from '../support/ledger.ts';
import { ACCOUNTS, historyOf, MONTHS } from '../support/random-posts.ts';
import { Player } from './player.ts';

/** Every path that a customer may read about its account, and about clusters that may be its own. */
function pathsOf(accountId: string, eventIds: readonly string[]): string[] {
  const account = `/v1/accounts/${accountId}`;
  const clusters = Array.from({ length: 14 }, (_, n) => `/v1/clusters/c${n}`);
  return [
    ...[
      '/v1/clusters',
      '/v1/alerts',
      '/v1/overview',
      '/v1/deletions',
      '/v1/adjustments',
      '/v1/me',
      '/readyz',
    ],
    ...[account, `${account}/usage?period=2026-02&groupBy=region`],
    ...MONTHS.flatMap((month) => [
      ...[`${account}/usage?period=${month}`, `${account}/usage/explain?period=${month}`],
      ...[`${account}/replay?period=${month}`, `${account}/diff?period=${month}&before=20`],
      `/v1/periods/${month}/statements/${accountId}`,
    ]),
    ...clusters.flatMap((path) => [path, `${path}/billing`, `${path}/events`, `${path}/billing?asOf=20`]),
    ...eventIds.map((id) => `/v1/events/${id}`),
  ];
}

test.each([500, Math.floor(Math.random() * 2 ** 31)])(
  'no answer to a customer names another account, in the history of seed %i',
  async (seed) => {
    const ledger = await openLedger();
    onTestFinished(ledger.discard);
    const player = new Player(ledger);
    for (const post of historyOf(seed)) await player.play(post);
    // A month before anything was billed cannot be closed.
    for (const period of MONTHS.slice(0, 3))
      await ledger.fetch(`/v1/periods/${period}/close`, { method: 'POST' });
    const { key: by } = await createKey(ledger, undefined, { role: 'operator' });
    const someIds = player.accepted.filter((_, n) => n % 5 === 0).map(({ eventId }) => eventId);
    for (const accountId of ACCOUNTS) {
      const { key } = await createKey(ledger, by, { role: 'customer', accountId });
      const others = new RegExp(`\\b(${ACCOUNTS.filter((other) => other !== accountId).join('|')})\\b`);
      let answered = 0;
      for (const path of pathsOf(accountId, someIds)) {
        const { status, text } = await ledger.get(path, bearer(key));
        expect([200, 403, 404], `${path}: ${text}`).toContain(status);
        expect(text, `${accountId} reads ${path}`).not.toMatch(others);
        if (status === 200) answered++;
      }
      expect(answered).toBeGreaterThan(20);
    }
  },
);
