import { setImmediate as turn } from 'node:timers/promises';
import { originOf, parseStoredFact } from '../domain/facts/recorded-fact.ts';
import { clusterStream, runOfStream } from '../domain/stream-table.ts';
import { DAY_MS, type Instant, type Window } from '../domain/time.ts';
import { VALIDATOR_SOURCE } from '../domain/validation/judging/judge.ts';
import { longestWait, type Policies } from '../domain/validation/judging/policy.ts';
import {
  type AccountSimulation,
  type PastCluster,
  type PastFact,
  PolicySimulation,
  pastRunOf,
} from '../domain/validation/judging/simulate-policy.ts';
import { type RunEnd, RunFold } from '../domain/validation/records/run-fold.ts';
import { parseRunRecord } from '../domain/validation/records/run-record.ts';
import type { EventStore } from '../eventstore/event-store.ts';

export interface PolicyChangeResult {
  /** Number of runs that were replayed. */
  readonly runs: number;
  /** Accounts whose bill would have been different. */
  readonly accounts: readonly AccountSimulation[];
}

type Completed = Extract<RunEnd, { outcome: 'completed' }>;

/**
 * Replays the recorded verdicts of past runs under other policies, and computes which billing would have been stopped in a
 * window and what the bill would have been. Includes runs before the window, as far back as a policy looks. Nothing is
 * written.
 * @throws StoreUnavailable
 */
export async function simulatePolicyChanges(
  store: EventStore,
  policies: Policies,
  window: Window,
  through: Instant,
): Promise<PolicyChangeResult> {
  const from = window.from - longestWait(policies) - DAY_MS;
  const isPlayed = ({ run: { start } }: Completed) => start.tick >= from && start.tick < window.to;

  const clusterIds = new Set<string>();
  for await (const { fold, end } of completedRuns(store)) {
    if (!isPlayed(end)) continue;
    for (const clusterId of fold.shards.get(end.run.start.shard)?.members ?? []) clusterIds.add(clusterId);
  }
  const clusters: PastCluster[] = [];
  for (const clusterId of clusterIds) clusters.push({ clusterId, facts: await factsOf(store, clusterId) });
  const replay = new PolicySimulation(policies, clusters);
  let runs = 0;
  for await (const { fold, end } of completedRuns(store)) {
    if (!isPlayed(end)) continue;
    replay.play(pastRunOf(fold, end));
    runs++;
    await turn();
  }
  return { runs, accounts: replay.result(window, through) };
}

/** Yields every completed run in the order of completion, with the state of all runs after it. */
async function* completedRuns(store: EventStore): AsyncGenerator<{ fold: RunFold; end: Completed }> {
  const fold = new RunFold();
  for await (const events of store.readAll(0)) {
    for (const { stream, type, data, recordedAt } of events) {
      const run = runOfStream(stream);
      if (run === undefined) continue;
      for (const end of fold.apply(run, parseRunRecord(type, data), recordedAt))
        if (end.outcome === 'completed') yield { fold, end };
    }
  }
}

async function factsOf(store: EventStore, clusterId: string): Promise<PastFact[]> {
  const facts: PastFact[] = [];
  for await (const event of store.readStream(clusterStream(clusterId))) {
    const fact = parseStoredFact(clusterId, event);
    const isOwn = originOf(event).source === VALIDATOR_SOURCE;
    facts.push({ eventId: event.id, order: event.revision, fact, recordedAt: event.recordedAt, isOwn });
  }
  return facts;
}
