import type { Fact, FactOf } from '../../facts/fact.ts';
import { formatInstant, type Instant } from '../../time.ts';
import type { CountedRuns } from './outage.ts';
import { type Announced, type AnnouncedState, type BadStreak, isFlapping } from './probe-history.ts';
import type { ClusterEvaluation, Conclusion, RunInput } from './run-input.ts';
import { isBad } from './verdict.ts';

/** Conclusions about one cluster in one run. */
export interface ClusterConclusions {
  readonly facts: readonly Conclusion[];
  readonly wouldHave: readonly Conclusion[];
  readonly announced: Announced;
  /**
   * Whether the cluster has been unreachable long enough to stop billing, but the inventory does not confirm that
   * it is gone.
   */
  readonly isUnconfirmed: boolean;
  readonly isFlapping: boolean;
}

type ConcludedType = 'ClusterUnreachable' | 'ClusterReachable' | 'BillingStopped' | 'BillingResumed';

/** Effect of the breaker on the conclusions of a run. */
export interface BreakerEffect {
  /** Whether conclusions from bad verdicts are withheld. Conclusions from good verdicts are still drawn. */
  readonly isWithheld: boolean;
  /** The runs whose bad verdicts count; `undefined` if all count. */
  readonly countedRuns: CountedRuns | undefined;
}

/** Draws the conclusions from the verdicts of one cluster. */
export function conclude(
  evaluation: ClusterEvaluation,
  run: RunInput,
  confidence: BreakerEffect,
): ClusterConclusions {
  const { historyAfter, policy, verdict, isDeleted, cluster } = evaluation;
  const flapping = isFlapping(historyAfter, policy.flapLimit, run.tick);
  const noConclusions = {
    facts: [],
    wouldHave: [],
    announced: historyAfter.announced,
    isUnconfirmed: false,
    isFlapping: flapping,
  };
  if (isDeleted)
    return {
      ...noConclusions,
      announced: { ...historyAfter.announced, gone: isGone(evaluation, confidence) },
    };
  if (flapping || cluster.state.registeredAt > run.decidedAt) return noConclusions;
  if (isBad(verdict))
    return confidence.isWithheld
      ? noConclusions
      : { ...noConclusions, ...concludeBad(evaluation, run, confidence) };
  const isGood = verdict.state === 'alive' && (historyAfter.good?.count ?? 0) >= policy.reachableAfter;
  return isGood ? { ...noConclusions, ...concludeGood(evaluation, run) } : noConclusions;
}

/**
 * Returns whether a deleted cluster is verified as gone: it takes as many bad verdicts as make other clusters
 * unreachable.
 */
function isGone(
  { historyAfter: { bad, announced, last }, policy }: ClusterEvaluation,
  confidence: BreakerEffect,
): true | undefined {
  if (last?.state === 'alive') return undefined;
  if (confidence.isWithheld || bad === undefined) return announced.gone;
  return countedStreak(bad, confidence).count >= policy.unreachableAfter ? true : announced.gone;
}

/** Returns the part of a streak that counts. */
function countedStreak({ tick, count }: BadStreak, { countedRuns }: Pick<BreakerEffect, 'countedRuns'>) {
  if (countedRuns === undefined || countedRuns.from <= tick) return { tick, count };
  return { tick: countedRuns.from, count: Math.min(count, countedRuns.runs) };
}

type Part = Pick<ClusterConclusions, 'facts' | 'wouldHave' | 'announced'>;

function concludeBad(
  evaluation: ClusterEvaluation,
  run: RunInput,
  confidence: BreakerEffect,
): Part & { isUnconfirmed: boolean } {
  const { historyAfter, policy, cluster } = evaluation;
  const { state } = cluster;
  const { announced } = historyAfter;
  const noConclusion = { facts: [], wouldHave: [], announced, isUnconfirmed: false };
  const { bad } = historyAfter;
  if (bad === undefined) return noConclusion;
  const { tick, count } = countedStreak(bad, confidence);
  const span = run.tick - tick;
  if (count < policy.unreachableAfter || span < policy.unreachableFor) return noConclusion;

  const builder = new ConclusionBuilder(evaluation, run);
  const unreachable = builder.transition('ClusterUnreachable', state.unreachable, announced.unreachable);
  const isDue = span >= policy.stopAfter && state.billable;
  if (!isDue)
    return { ...builder.conclusions({ unreachable, stopped: announced.stopped }), isUnconfirmed: false };
  if (policy.confirmWith === 'inventory' && cluster.inventory !== 'gone') {
    return { ...builder.conclusions({ unreachable, stopped: announced.stopped }), isUnconfirmed: true };
  }
  const stopped = builder.transition('BillingStopped', state.stoppedSince !== undefined, announced.stopped);
  return { ...builder.conclusions({ unreachable, stopped }), isUnconfirmed: false };
}

function concludeGood(evaluation: ClusterEvaluation, run: RunInput): Part {
  const { state } = evaluation.cluster;
  const { announced } = evaluation.historyAfter;
  const builder = new ConclusionBuilder(evaluation, run);
  const unreachable = builder.transition('ClusterReachable', state.unreachable, announced.unreachable);
  const stopped = builder.transition('BillingResumed', state.stoppedSince !== undefined, announced.stopped);
  return builder.conclusions({ unreachable, stopped });
}

/** Collects conclusions as facts or as `wouldHave`, depending on the mode of the policy. */
class ConclusionBuilder {
  readonly #evaluation: ClusterEvaluation;
  readonly #run: RunInput;
  readonly #facts: Conclusion[] = [];
  readonly #wouldHave: Conclusion[] = [];

  constructor(evaluation: ClusterEvaluation, run: RunInput) {
    this.#evaluation = evaluation;
    this.#run = run;
  }

  /**
   * Adds a conclusion, unless the ledger already has that state or the conclusion was announced before in the
   * current state of the cluster. So an operator who voids it, or resumes billing, is not contradicted.
   * @param isRecorded whether the ledger has the cluster as unreachable, or its billing as stopped.
   * @returns the announced state to remember.
   */
  transition(
    type: ConcludedType,
    isRecorded: boolean,
    announced: AnnouncedState | undefined,
  ): AnnouncedState | undefined {
    const isBeginning = type === 'ClusterUnreachable' || type === 'BillingStopped';
    if (mayRecord(type, this.#evaluation.policy.mode)) {
      const isAnnounced = isBeginning ? isRecorded || announced === 'recorded' : !isRecorded;
      if (!isAnnounced) this.#facts.push(this.#conclusion(type));
      if (!isBeginning) return undefined;
      return isAnnounced ? announced : 'recorded';
    }
    const isActive = announced === 'would' || (announced !== 'ended' && isRecorded);
    const isAnnounced = isBeginning ? isActive || announced === 'recorded' : !isActive;
    if (!isAnnounced) this.#wouldHave.push(this.#conclusion(type));
    if (!isBeginning) return isRecorded ? 'ended' : undefined;
    return isAnnounced ? announced : 'would';
  }

  conclusions(announced: Announced): Part {
    return { facts: this.#facts, wouldHave: this.#wouldHave, announced };
  }

  #conclusion(type: ConcludedType): Conclusion {
    const { clusterId } = this.#evaluation.cluster;
    return { id: `${this.#run.run}/${clusterId}/${type}`, fact: factOf(type, this.#evaluation, this.#run) };
  }
}

function mayRecord(type: ConcludedType, mode: ClusterEvaluation['policy']['mode']): boolean {
  if (mode === 'observe') return false;
  return mode === 'enforce' || type === 'ClusterUnreachable' || type === 'ClusterReachable';
}

function factOf(type: ConcludedType, evaluation: ClusterEvaluation, run: RunInput): Fact {
  const { clusterId, state } = evaluation.cluster;
  const { policy } = evaluation.policy;
  const { good, bad } = evaluation.historyAfter;
  const shared = { clusterId, policy, evidence: evidenceOf(evaluation, run) };
  const seenAt = (good ?? bad)?.to ?? run.tick;
  switch (type) {
    case 'ClusterUnreachable':
      return { ...shared, type, effectiveAt: notBefore(state.registeredAt, seenAt), since: sinceOf(bad) };
    case 'ClusterReachable':
      return { ...shared, type, effectiveAt: good?.from ?? run.tick, since: sinceOf(good) };
    case 'BillingStopped': {
      const effectiveAt = notBefore(state.registeredAt, stopInstant(evaluation, run));
      const reason = 'unreachable: the cluster has not answered for as long as the policy allows';
      return { ...shared, type, cause: 'unreachable', effectiveAt, reason, since: sinceOf(bad) };
    }
    case 'BillingResumed': {
      // At equal times a stop wins over a resumption, so the resumption must be later than the stop it ends.
      const effectiveAt = notBefore((state.stoppedSince ?? -1) + 1, good?.from ?? run.tick);
      const reason = 'reachable: the cluster answers again';
      return { ...shared, type, cause: 'unreachable', effectiveAt, reason, since: sinceOf(good) };
    }
  }
}

const notBefore = (earliest: Instant, instant: Instant) => Math.max(earliest, instant);

function sinceOf(streak: { readonly from: Instant } | undefined): string {
  return formatInstant(streak?.from ?? 0);
}

/** Returns the effective instant of a stop. If the cluster was never seen alive, it is the first bad verdict. */
function stopInstant(
  { policy, historyAfter: { aliveAt, bad } }: ClusterEvaluation,
  { decidedAt, tick }: RunInput,
): Instant {
  if (policy.stopEffective === 'decision') return decidedAt;
  const first = bad?.from ?? tick;
  return policy.stopEffective === 'last-alive' ? (aliveAt ?? first) : first;
}

type Evidence = NonNullable<FactOf<'ClusterUnreachable'>['evidence']>;

function evidenceOf(
  { historyAfter: { good, bad, aliveAt, uid }, verdict }: ClusterEvaluation,
  { run }: RunInput,
): Evidence {
  const streak =
    bad === undefined
      ? good !== undefined && {
          firstAliveAt: formatInstant(good.from),
          lastAliveAt: formatInstant(good.to),
          count: good.count,
          code: verdict.code,
        }
      : {
          firstBadAt: formatInstant(bad.from),
          lastBadAt: formatInstant(bad.to),
          count: bad.count,
          codes: { ...bad.codes },
          ...(aliveAt !== undefined && { lastAliveAt: formatInstant(aliveAt) }),
        };
  const uidSeen = verdict.uid !== undefined && verdict.uid !== uid && { uidSeen: verdict.uid };
  return { run, ...streak, ...(uid !== undefined && { uid }), ...uidSeen };
}
