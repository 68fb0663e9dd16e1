import type { Answer } from '../../support/ledger.ts';
import type { Known } from './arbitraries.ts';

type Item = Readonly<Record<string, unknown>>;

/** Asks a ledger for its ids, so that requests are about things that exist. */
export async function knownOf(get: (path: string) => Promise<Pick<Answer, 'body'>>): Promise<Known> {
  const items = async (path: string, list = 'items') => ((await get(path)).body?.[list] ?? []) as Item[];
  const events = await items('/v1/feed?limit=1000', 'events');
  const facts = events.filter(({ type }) => !/\.(closed|begun|described)\.v1$/.test(String(type)));
  const clusterIds = (await items('/v1/clusters')).map(({ clusterId }) => clusterId);
  const eventIds = facts.map(({ ledgereventid }) => ledgereventid);
  const rejectedIds = (await items('/v1/rejected-events')).map(({ id }) => id);
  // The key of the requests is not among them: once it is revoked, all others would be refused.
  const { actor } = (await get('/v1/me')).body ?? {};
  const keyIds = (await items('/v1/keys')).map(({ id }) => id).filter((id) => id !== actor);
  const periods = (await items('/v1/periods')).map(({ period }) => period);
  return {
    clusterId: clusterIds,
    subject: clusterIds,
    'ce-subject': clusterIds,
    accountId: (await items('/v1/accounts')).map(({ accountId }) => accountId),
    eventId: [...eventIds, ...rejectedIds],
    voids: eventIds,
    remove: eventIds.slice(0, 3),
    period: periods,
    alertId: (await items('/v1/alerts')).map(({ id }) => id),
    runId: (await items('/v1/validations')).map(({ id }) => id),
    deletionId: (await items('/v1/deletions')).map(({ deletionId }) => deletionId),
    keyId: keyIds,
    webhookId: (await items('/v1/webhooks')).map(({ webhookId }) => webhookId),
    asOf: ['1', '3', '2026-02-01T00:00:00Z'],
    before: ['1', '2'],
    after: ['0', '3'],
    size: [1, 5],
    since: [1, 3],
    position: ['1', '4'],
    url: ['https://receiver.invalid/hook'],
    types: [...new Set(events.map(({ type }) => type))],
    id: ['a', 'b', 'c'],
    source: ['/pro-app', '/torture'],
  };
}
