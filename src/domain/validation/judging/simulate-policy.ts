import { activeFactsOf, billCluster, type Interval, ownerAt } from '../../billing/billing.ts';
import { AmountSum, type Amounts } from '../../billing/quantity.ts';
import { clippedWindow, type Usage, usageOf } from '../../billing/usage-meter.ts';
import { type Details, detailsAt } from '../../facts/details.ts';
import type { KnownFact } from '../../facts/fact.ts';
import { isUnreachable } from '../../facts/latest-observation.ts';
import type { InventoryStatus } from '../../inventory.ts';
import type { Instant, Window } from '../../time.ts';
import type { RunEnd, RunFold } from '../records/run-fold.ts';
import { clusterStateOf } from './cluster-state.ts';
import { judgeRun } from './judge.ts';
import type { Breaker } from './outage.ts';
import type { Policies, Policy } from './policy.ts';
import type { ProbeHistory } from './probe-history.ts';
import type { ClusterState, ProbedCluster } from './run-input.ts';
import type { Verdict } from './verdict.ts';

/** A completed run of the past, from its records. */
export interface PastRun {
  readonly run: string;
  readonly shard: string;
  readonly tick: Instant;
  readonly decidedAt: Instant;
  readonly verdicts: Iterable<readonly [clusterId: string, verdict: Verdict]>;
  /** Returns what the inventory said about a cluster. */
  readonly inventoryOf: (clusterId: string) => InventoryStatus;
  /** Whether an operator had overridden the breaker. */
  readonly isOverridden: boolean;
}

/** Returns the run that a fold has just completed, ready for a simulation. */
export function pastRunOf(
  fold: RunFold,
  { run, summary }: Extract<RunEnd, { outcome: 'completed' }>,
): PastRun {
  const { shard, tick } = run.start;
  const conditions = [...(fold.shards.get(shard)?.conditions.values() ?? [])];
  const gone = new Set(
    conditions.filter(({ kind }) => kind === 'billed-but-missing').map(({ subject }) => subject),
  );
  const { decidedAt, breaker, withheld } = summary;
  const isOverridden = breaker.open && !withheld;
  return {
    run: run.run,
    shard,
    tick,
    decidedAt,
    verdicts: fold.verdictsOf(shard),
    inventoryOf: (clusterId) =>
      // Releases before the status was recorded have only the conditions.
      fold.historyOf(clusterId)?.listing?.status ?? (gone.has(clusterId) ? 'gone' : 'unknown'),
    isOverridden,
  };
}

/** A cluster with all of its facts, in the order in which they were recorded. */
export interface PastCluster {
  readonly clusterId: string;
  readonly facts: readonly PastFact[];
}

export interface PastFact extends KnownFact {
  readonly recordedAt: Instant;
  /** Whether the validator appended the fact. */
  readonly isOwn: boolean;
}

/** A period in which billing of a cluster would have been stopped. */
export interface SimulatedStop {
  readonly clusterId: string;
  readonly policy: string;
  readonly from: Instant;
  /** `null` if billing would still be stopped. */
  readonly to: Instant | null;
}

export interface AccountSimulation {
  readonly accountId: string;
  readonly before: Usage;
  readonly after: Usage;
  readonly delta: Amounts;
  readonly stops: readonly SimulatedStop[];
}

/** State of one cluster during the simulation. */
interface SimulatedCluster {
  readonly facts: readonly PastFact[];
  /** Number of `facts` recorded by the current instant. */
  knownFacts: number;
  readonly hypothetical: KnownFact[];
  history: ProbeHistory | undefined;
  /** State from the facts known so far; `undefined` if it must be computed again. */
  state: { readonly cluster: RegistrationDetails; readonly state: ClusterState } | undefined;
}

interface RegistrationDetails {
  readonly accountId: string;
  readonly labels: Readonly<Record<string, string>> | undefined;
}

/**
 * Judges the recorded verdicts of past runs by other policies, as if those had been enforced from the first run on.
 * Facts of the validator are left out and replaced by those of the simulated policies. Nothing is written.
 *
 * Streaks begin with the first simulated run, so simulate runs from at least `longestWait` before the window too. The
 * inventory is what the runs found.
 */
export class PolicySimulation {
  readonly #policies: Policies;
  readonly #clusters = new Map<string, SimulatedCluster>();
  readonly #breakers = new Map<string, Breaker>();
  /** Order of the next simulated fact. Simulated facts come after all recorded ones. */
  #nextOrder = 2 ** 52;

  constructor(policies: Policies, clusters: Iterable<PastCluster>) {
    this.#policies = asEnforced(policies);
    for (const { clusterId, facts } of clusters) {
      this.#clusters.set(clusterId, {
        facts,
        knownFacts: 0,
        hypothetical: [],
        history: undefined,
        state: undefined,
      });
    }
  }

  /** Judges the next run. Call it in the order in which the runs were completed. */
  play({ run, shard, tick, decidedAt, verdicts, inventoryOf, isOverridden }: PastRun): void {
    const clusters: ProbedCluster[] = [];
    for (const [clusterId, verdict] of verdicts) {
      const cluster = this.#clusters.get(clusterId);
      const now = cluster === undefined ? undefined : stateOf(cluster, decidedAt);
      if (cluster === undefined || now === undefined) continue;
      clusters.push({
        clusterId,
        ...now.cluster,
        state: now.state,
        inventory: inventoryOf(clusterId),
        history: cluster.history,
        verdict,
      });
    }
    const breaker = this.#breakers.get(shard) ?? { open: false };
    const policies = this.#policies;
    const proceedUntil = isOverridden ? decidedAt + 1 : undefined;
    const judgement = judgeRun({
      run,
      shard,
      tick,
      decidedAt,
      policies,
      breaker,
      proceedUntil,
      clusters,
    });
    this.#breakers.set(shard, judgement.breaker);
    for (const [clusterId, history] of judgement.histories) this.#clusterOf(clusterId).history = history;
    for (const { id, fact } of judgement.facts) {
      const cluster = this.#clusterOf(fact.clusterId);
      cluster.hypothetical.push({ eventId: id, order: this.#nextOrder++, fact });
      cluster.state = undefined;
    }
  }

  #clusterOf(clusterId: string): SimulatedCluster {
    return this.#clusters.get(clusterId) as SimulatedCluster;
  }

  /**
   * Returns the result of the runs so far.
   * @param window the window that is billed, up to `through`.
   * @returns the accounts whose bill would differ or that would have had a stop, in order of their ids.
   */
  result(window: Window, through: Instant): AccountSimulation[] {
    const counted = clippedWindow(window, through);
    const accounts = new Map<string, { before: Intervals[]; after: Intervals[]; stops: SimulatedStop[] }>();
    const of = (accountId: string) => {
      const account = accounts.get(accountId) ?? { before: [], after: [], stops: [] };
      accounts.set(accountId, account);
      return account;
    };
    for (const [clusterId, cluster] of this.#clusters) {
      const before = billCluster(cluster.facts);
      const after = billCluster([...cluster.facts.filter(({ isOwn }) => !isOwn), ...cluster.hypothetical]);
      for (const [side, { intervals }] of [['before', before] as const, ['after', after] as const])
        for (const [accountId, own] of Map.groupBy(intervals, (interval) => interval.accountId))
          of(accountId)[side].push(own);
      for (const stop of stopsOf(clusterId, cluster.hypothetical)) {
        const owner = ownerAt(after, stop.from);
        if (owner !== undefined) of(owner).stops.push(stop);
      }
    }
    return Array.from(accounts, ([accountId, { before, after, stops }]) => {
      const [usageBefore, usageAfter] = [usageIn(before, counted), usageIn(after, counted)];
      const delta = new AmountSum().add(usageAfter).subtract(usageBefore).total;
      return { accountId, before: usageBefore, after: usageAfter, delta, stops };
    })
      .filter(
        ({ before, after, stops }) => stops.length > 0 || JSON.stringify(before) !== JSON.stringify(after),
      )
      .sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
  }
}

type Intervals = readonly Interval[];

function usageIn(clusters: readonly Intervals[], counted: Window): Usage {
  return usageOf(clusters, counted).usage;
}

function stopsOf(clusterId: string, hypothetical: readonly KnownFact[]): SimulatedStop[] {
  const stops: SimulatedStop[] = [];
  for (const { fact } of hypothetical) {
    const last = stops.at(-1);
    if (fact.type === 'BillingStopped') {
      stops.push({ clusterId, policy: fact.policy ?? '', from: fact.effectiveAt, to: null });
    } else if (fact.type === 'BillingResumed' && last !== undefined) {
      stops[stops.length - 1] = { ...last, to: fact.effectiveAt };
    }
  }
  return stops;
}

/** Returns the state of a cluster at an instant, with its simulated facts; `undefined` if it was not registered. */
function stateOf(cluster: SimulatedCluster, now: Instant): SimulatedCluster['state'] {
  const { facts, hypothetical } = cluster;
  const before = cluster.knownFacts;
  while (cluster.knownFacts < facts.length && (facts[cluster.knownFacts] as PastFact).recordedAt <= now)
    cluster.knownFacts++;
  if (cluster.state !== undefined && cluster.knownFacts === before) return cluster.state;
  const known: KnownFact[] = [
    ...facts.slice(0, cluster.knownFacts).filter(({ isOwn }) => !isOwn),
    ...hypothetical,
  ];
  const billing = billCluster(known);
  const state = clusterStateOf(billing, isUnreachable(activeFactsOf(known)), now);
  if (state === undefined) return undefined;
  const said = new Map(known.map(({ order, fact }) => [order, fact as Details]));
  const { labels } = detailsAt(billing.described, Math.max(now, state.registeredAt), (order) =>
    said.get(order),
  );
  cluster.state = {
    cluster: { accountId: ownerAt(billing, now) as string, labels },
    state,
  };
  return cluster.state;
}

function asEnforced({ fallback, exceptions, ...policies }: Policies): Policies {
  const enforced = (policy: Policy): Policy => ({ ...policy, mode: 'enforce' });
  return {
    ...policies,
    fallback: enforced(fallback),
    exceptions: exceptions.map(({ match, policy }) => ({ match, policy: enforced(policy) })),
  };
}
