import { describe, expect, test } from 'vitest';
import { deleted, registered, voided } from '../support/cloud-events.ts';
import type { TestLedger } from '../support/ledger.ts';
import { sharedLedger } from '../support/shared-ledger.ts';

async function close(ledger: TestLedger, period: string, body: object): Promise<unknown> {
  const { status, body: answer } = await ledger.fetch(`/v1/periods/${period}/close`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(status).toBe(200);
  return answer;
}

interface Statement {
  readonly accountId: string;
  readonly adjustments: readonly { readonly facts: readonly string[] }[];
}

describe('GET /v1/adjustments', () => {
  const ledger = sharedLedger();

  test('is empty before the first closing, and lists afterwards exactly what the next closing adjusts', async () => {
    await ledger().record(
      registered('c1', '2026-01-02T00:00:00Z', 'acme'),
      registered('g1', '2026-01-01T00:00:00Z', 'globex'),
      registered('i1', '2026-01-01T00:00:00Z', 'initech'),
    );
    expect((await ledger().get('/v1/adjustments')).body).toEqual({ since: null, position: '3', items: [] });
    await close(ledger(), '2026-01', {});
    expect((await ledger().get('/v1/adjustments')).body).toMatchObject({ since: '3', items: [] });

    const [wrong, gone] = await ledger().record(
      deleted('c1', '2026-01-20T00:00:00Z'),
      deleted('g1', '2026-01-25T06:00:00Z'),
      // Effective after the closed period: it adjusts nothing.
      deleted('i1', '2026-02-10T00:00:00Z'),
    );
    const pending = (await ledger().get('/v1/adjustments')).body;
    const { statements } = (await close(ledger(), '2026-02', { dryRun: true })) as {
      readonly statements: readonly Statement[];
    };
    const expected = statements
      .filter(({ adjustments }) => adjustments.length > 0)
      .map(({ accountId, adjustments }) => ({ accountId, adjustments }));
    expect(expected.map(({ accountId }) => accountId)).toEqual(['acme', 'globex']);
    const asIds = pending.items.map((item: Statement) => ({
      ...item,
      adjustments: item.adjustments.map(({ facts, ...adjustment }) => ({
        ...adjustment,
        facts: facts.map((fact) => (fact as unknown as { readonly eventId: string }).eventId),
      })),
    }));
    expect(asIds).toEqual(expected);
    expect(pending.items[1].adjustments[0].facts[0]).toMatchObject({
      eventId: gone?.eventId,
      type: 'ClusterDeleted',
      clusterId: 'g1',
      effectiveAt: '2026-01-25T06:00:00.000Z',
    });

    await ledger().record(voided('c1', '2026-04-15T12:00:00Z', wrong?.eventId as string));
    const after = (await ledger().get('/v1/adjustments')).body;
    expect(after.items.map((item: Statement) => item.accountId)).toEqual(['globex']);
  });

  test('gives one account on each page if asked for one', async () => {
    await ledger().record(deleted('c1', '2026-01-15T00:00:00Z'));
    const first = (await ledger().get('/v1/adjustments?limit=1')).body;
    const second = (await ledger().get(`/v1/adjustments?limit=1&cursor=${first.next}`)).body;
    expect([first.items, second.items].map(([item]) => item.accountId)).toEqual(['acme', 'globex']);
    expect(second).not.toHaveProperty('next');
  });
});
