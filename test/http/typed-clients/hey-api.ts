import type { ClusterRegisteredEvent, LifecycleEvent, ReplayLine } from './hey-api/index.ts';
import {
  closePeriod,
  getEvidence,
  getFeed,
  getStatements,
  getUsage,
  postEvents,
  replayAccount,
} from './hey-api/index.ts';

/** Does the first jobs of the three users with a client of hey-api, without a cast. */
export async function jobs(baseUrl: string) {
  // The Pro app posts events.
  const registration: ClusterRegisteredEvent = {
    specversion: '1.0',
    id: 'r-1',
    source: '/pro-app',
    type: 'io.clusterledger.cluster.registered.v1',
    subject: 'c-1',
    time: '2026-03-01T00:00:00Z',
    data: { accountId: 'globex', name: 'staging' },
  };
  const one = await postEvents({ baseUrl, body: registration });
  if (one.data === undefined) throw new Error(one.error.detail);
  if (one.data.outcome === 'batch') throw new Error('one event is not a batch');
  const { position } = one.data;
  const outcomes: string[] = [];
  // The client knows the first media type only, so it posts one event at a time.
  const events: LifecycleEvent[] = [
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
  ];
  for (const body of events) {
    const { data, error } = await postEvents({ baseUrl, body });
    outcomes.push(data === undefined ? error.type : data.outcome);
  }

  // The billing service pulls usage and statements.
  const usage = await getUsage({
    baseUrl,
    query: { period: '2026-03', limit: 10, ...(position !== null && { minPosition: position }) },
  });
  if (usage.data === undefined) throw new Error(usage.error.detail);
  const seconds = usage.data.items.map((item) => [item.accountId, item.usage.clusterSeconds]);
  const closed = await closePeriod({ baseUrl, path: { period: '2026-03' } });
  if (closed.data?.outcome !== 'closed') throw new Error('the period is not closed');
  const statements = await getStatements({ baseUrl, path: { period: '2026-03' } });
  const billed = statements.data?.items.map(({ total }) => total.clusterSeconds);
  const tooMuch = await getUsage({ baseUrl, query: { period: '2026-03', limit: 1001 } });
  const refused = tooMuch.error?.type;

  // @ts-expect-error A registration needs an account.
  const nameless: ClusterRegisteredEvent = { ...registration, data: { name: 'x' } };
  void nameless;

  // The auditor replays the facts and exports the evidence.
  const replay = await replayAccount({
    baseUrl,
    path: { accountId: 'globex' },
    query: { period: '2026-03' },
    parseAs: 'text',
  });
  const lines: ReplayLine[] = (replay.data ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  const names = lines.flatMap(({ fact }) =>
    fact.type === 'io.clusterledger.cluster.registered.v1' ? [fact.data.name] : [],
  );
  const evidence = await getEvidence({
    baseUrl,
    path: { accountId: 'globex' },
    query: { period: '2026-03' },
  });
  const feed = await getFeed({ baseUrl, query: { limit: 100, wait: 0 } });
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
