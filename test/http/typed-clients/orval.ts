import type { ClusterRegisteredEvent, ReplayLine } from './orval/api.ts';
import {
  closePeriod,
  getEvidence,
  getFeed,
  getStatements,
  getUsage,
  postEvents,
  replayAccount,
} from './orval/api.ts';

/** Does the first jobs of the three users with a client of orval, without a cast. The address is in the generated code. */
export async function jobs() {
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
  const one = await postEvents(registration, {
    headers: { 'content-type': 'application/cloudevents+json' },
  });
  if (one.status !== 200 && one.status !== 201) throw new Error(one.data.detail);
  if (one.data.outcome === 'batch') throw new Error('one event is not a batch');
  const { position } = one.data;
  const batch = await postEvents(
    [
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
    { headers: { 'content-type': 'application/cloudevents-batch+json' } },
  );
  if (batch.status !== 200 || batch.data.outcome !== 'batch') throw new Error('a batch has results');
  const outcomes = batch.data.results.map((result) =>
    result.outcome === 'rejected' ? result.problem.type : result.outcome,
  );

  // The billing service pulls usage and statements.
  const usage = await getUsage({
    period: '2026-03',
    limit: 10,
    ...(position !== null && { minPosition: position }),
  });
  if (usage.status !== 200) throw new Error(String(usage.status));
  const seconds = usage.data.items.map((item) => [item.accountId, item.usage.clusterSeconds]);
  const closed = await closePeriod('2026-03');
  if (closed.status !== 200 || closed.data.outcome !== 'closed') throw new Error('the period is not closed');
  const statements = await getStatements('2026-03');
  if (statements.status !== 200) throw new Error(String(statements.status));
  const billed = statements.data.items.map(({ total }) => total.clusterSeconds);
  const tooMuch = await getUsage({ period: '2026-03', limit: 1001 });
  const refused = tooMuch.status === 400 ? tooMuch.data.type : undefined;

  // @ts-expect-error A registration needs an account.
  const nameless: ClusterRegisteredEvent = { ...registration, data: { name: 'x' } };
  void nameless;

  // The auditor replays the facts and exports the evidence.
  const replay = await replayAccount('globex', { period: '2026-03' });
  if (replay.status !== 200) throw new Error(String(replay.status));
  const text = await new Response(replay.stream.body).text();
  const lines: ReplayLine[] = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  const names = lines.flatMap(({ fact }) =>
    fact.type === 'io.clusterledger.cluster.registered.v1' ? [fact.data.name] : [],
  );
  const evidence = await getEvidence('globex', { period: '2026-03' });
  const feed = await getFeed({ limit: 100, wait: 0 });
  if (feed.status !== 200) throw new Error(String(feed.status));
  const accounts = feed.data.events.flatMap((event) => {
    switch (event.type) {
      case 'io.clusterledger.cluster.registered.v1':
        return [event.data.accountId];
      case 'io.clusterledger.period.closed.v1':
        return [event.data.period];
      default:
        return [];
    }
  });
  if (evidence.status !== 200) throw new Error(String(evidence.status));
  const facts = evidence.data.evidence.clusters.flatMap((cluster) =>
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
    seal: evidence.data.seal !== undefined,
  };
}
