import createClient from 'openapi-fetch';
import type { components, paths } from './openapi-typescript.ts';

/** Does the first jobs of the three users with a client of openapi-typescript and openapi-fetch, without a cast. */
export async function jobs(baseUrl: string) {
  const client = createClient<paths>({ baseUrl });

  // The Pro app posts events.
  const registration: components['schemas']['ClusterRegisteredEvent'] = {
    specversion: '1.0',
    id: 'r-1',
    source: '/pro-app',
    type: 'io.clusterledger.cluster.registered.v1',
    subject: 'c-1',
    time: '2026-03-01T00:00:00Z',
    data: { accountId: 'globex', name: 'staging' },
  };
  const one = await client.POST('/v1/events', {
    headers: { 'content-type': 'application/cloudevents+json' },
    body: registration,
  });
  if (one.data === undefined) throw new Error(one.error.detail);
  if (one.data.outcome === 'batch') throw new Error('one event is not a batch');
  const { position } = one.data;
  const batch = await client.POST('/v1/events', {
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: [
      registration,
      {
        specversion: '1.0',
        id: 'd-1',
        source: '/pro-app',
        type: 'io.clusterledger.cluster.deleted.v1',
        subject: 'c-1',
        time: '2026-03-11T00:00:00Z',
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      },
      { ...registration, id: 'r-2', data: { accountId: 'initech', name: 'staging' } },
    ],
  });
  if (batch.data?.outcome !== 'batch') throw new Error('a batch has results');
  const outcomes = batch.data.results.map((result) =>
    result.outcome === 'rejected' ? result.problem.type : result.outcome,
  );

  // The billing service pulls usage and statements.
  const usage = await client.GET('/v1/usage', {
    params: { query: { period: '2026-03', limit: 10, ...(position !== null && { minPosition: position }) } },
  });
  if (usage.data === undefined) throw new Error(usage.error.detail);
  const seconds = usage.data.items.map(({ accountId, usage: { clusterSeconds } }) => [
    accountId,
    clusterSeconds,
  ]);
  const closed = await client.POST('/v1/periods/{period}/close', { params: { path: { period: '2026-03' } } });
  if (closed.data?.outcome !== 'closed') throw new Error('the period is not closed');
  const statements = await client.GET('/v1/periods/{period}/statements', {
    params: { path: { period: '2026-03' } },
  });
  const billed = statements.data?.items.map(({ total }) => total.clusterSeconds);
  const tooMuch = await client.GET('/v1/usage', { params: { query: { period: '2026-03', limit: 1001 } } });
  const refused = tooMuch.error?.type;

  // @ts-expect-error A registration needs an account.
  const nameless: components['schemas']['ClusterRegisteredEvent'] = { ...registration, data: { name: 'x' } };
  // @ts-expect-error A limit is a number.
  const textual: paths['/v1/usage']['get']['parameters']['query'] = { period: '2026-03', limit: '10' };
  void [nameless, textual];

  // The auditor replays the facts and exports the evidence.
  const replay = await client.GET('/v1/accounts/{accountId}/replay', {
    params: { path: { accountId: 'globex' }, query: { period: '2026-03' } },
    parseAs: 'text',
  });
  const lines: components['schemas']['ReplayLine'][] = (replay.data ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  const names = lines.flatMap(({ fact }) =>
    fact.type === 'io.clusterledger.cluster.registered.v1' ? [fact.data.name] : [],
  );
  const evidence = await client.GET('/v1/accounts/{accountId}/evidence', {
    params: { path: { accountId: 'globex' }, query: { period: '2026-03' } },
  });
  const feed = await client.GET('/v1/feed', { params: { query: { limit: 100, wait: 0 } } });
  const accounts = feed.data?.events.flatMap((event) => {
    switch (event.type) {
      case 'io.clusterledger.cluster.registered.v1':
        return [event.data.accountId];
      case 'io.clusterledger.period.closed.v1':
        return [event.data.period];
      default:
        return [];
    }
  });
  const facts = evidence.data?.evidence.clusters.flatMap((cluster) =>
    cluster.facts.map(({ leaf }) => leaf.type),
  );
  return {
    outcomes,
    seconds,
    billed,
    refused,
    names,
    accounts,
    facts,
    seal: evidence.data?.seal !== undefined,
  };
}
