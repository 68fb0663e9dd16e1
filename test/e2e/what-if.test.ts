import { describe, expect, onTestFinished, test } from 'vitest';
import { type OracleFact, usageAt } from '../oracle/oracle.ts';
import { deleted, type PostedEvent, resumed, stopped, voided } from '../support/cloud-events.ts';
import { openLedger } from '../support/ledger.ts';
import { ACCOUNTS, historyOf } from '../support/random-posts.ts';
import { stores } from '../support/stores.ts';
import { Player } from './player.ts';

const PERIOD = '2026-02';
const WINDOW = [BigInt(Date.parse('2026-02-01')), BigInt(Date.parse('2026-03-01'))] as const;
const AFTER_ALL = 1_000_000;

/** Every few of the facts, beginning with one of the first. */
const some = (facts: readonly OracleFact[], begin: number, step: number) =>
  facts.filter((_, i) => i % step === begin);

/** Facts that a simulation adds: a stop of every cluster, a deletion, and a void of an existing fact. */
function additions(facts: readonly OracleFact[], nth: number): { event: PostedEvent; fact: OracleFact }[] {
  const day = `2026-02-${String(1 + (nth % 28)).padStart(2, '0')}T00:00:00.000Z`;
  const targets = facts.filter(({ type }) => type !== 'FactVoided');
  const target = targets[nth % targets.length] as OracleFact;
  const { clusterId, eventId: voids } = target;
  const common = { position: AFTER_ALL, clusterId, effectiveAt: BigInt(Date.parse(day)) };
  const cause = 'manual';
  return [
    {
      event: stopped(clusterId, day),
      fact: { ...common, eventId: 'stop', type: 'BillingStopped', cause },
    },
    {
      event: resumed(clusterId, day, 'unreachable'),
      fact: { ...common, eventId: 'resume', type: 'BillingResumed', cause: 'unreachable' },
    },
    { event: deleted(clusterId, day), fact: { ...common, eventId: 'delete', type: 'ClusterDeleted' } },
    {
      event: voided(clusterId, day, voids),
      fact: { ...common, eventId: 'void', type: 'FactVoided', voids },
    },
  ];
}

describe.each(stores)('a what-if on $name', ({ connection }) => {
  test('bills an account as the oracle bills the simulated facts', async () => {
    const ledger = await openLedger({ store: connection });
    onTestFinished(ledger.discard);
    const player = new Player(ledger);
    for (const post of historyOf(11)) await player.play(post);
    const head = await ledger.head();
    let changed = 0;
    for (const [nth, accountId] of ACCOUNTS.entries()) {
      const clusters = (await ledger.get(`/v1/clusters?accountId=${accountId}`)).body.items;
      const ids = new Set(clusters.map(({ clusterId }: { clusterId: string }) => clusterId));
      const own = player.accepted.filter(({ clusterId }) => ids.has(clusterId));
      for (const step of [3, 5, 9]) {
        const removed = some(own, nth % step, step);
        const left = player.accepted.filter((fact) => !removed.includes(fact));
        const leftOwn = own.filter((fact) => !removed.includes(fact));
        const added = additions(leftOwn, nth + step).slice(nth % 2, 2 + (step % 3));
        const question = {
          period: PERIOD,
          remove: removed.map(({ eventId }) => eventId),
          add: added.map(({ event }) => event),
        };
        const { body, status, text } = await ledger.fetch(`/v1/accounts/${accountId}/what-if`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(question),
        });
        expect(status, text).toBe(200);
        const then = [...left, ...added.map(({ fact }) => fact)];
        expect(body.before).toEqual(usageAt(player.accepted, head, accountId, WINDOW, WINDOW[1]));
        expect(body.after, JSON.stringify(question)).toEqual(
          usageAt(then, AFTER_ALL, accountId, WINDOW, WINDOW[1]),
        );
        changed += body.clusters.length;
      }
    }
    expect(changed).toBeGreaterThan(0);
    expect(await ledger.head()).toBe(head);
  });
});
