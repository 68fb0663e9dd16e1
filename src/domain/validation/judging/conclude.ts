import type { Fact, FactOf } from '../../facts/fact.ts';
import { formatInstant, type Instant } from '../../time.ts';
import type { CountedRuns } from './outage.ts';
import { type Announced, type AnnouncedState, type BadStreak, isBad, isFlapping } from './probe-history.ts';
import type { ClusterEvaluation, Conclusion, RunInput } from './run-input.ts';

/** What is concluded about one cluster in one run. */
export interface ClusterConclusions {
  readonly facts: readonly Conclusion[];
  readonly wouldHave: readonly Conclusion[];
  readonly announced: Announced;
  /** Long enough unreachable to stop billing, but the inventory does not say that it is gone. */
  readonly isUnconfirmed: boolean;
  readonly isFlapping: boolean;
}

type ConcludedType = 'ClusterUnreachable' | 'ClusterReachable' | 'BillingStopped' | 'BillingResumed';

/** What the breaker lets be concluded. */
export interface BreakerEffect {
  /** Nothing bad is; what answers again is still said to. */
  readonly isWithheld: boolean;
  /** Only from these runs; `undefined` for all. */
  readonly countedRuns: CountedRuns | undefined;
}

/** What the verdicts of a cluster come to. */
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

/** Of a deleted cluster: whether it is gone, by as many bad verdicts as make another unreachable. */
function isGone(
  { historyAfter: { bad, announced, last }, policy }: ClusterEvaluation,
  confidence: BreakerEffect,
): true | undefined {
  if (last?.state === 'alive') return undefined;
  if (confidence.isWithheld || bad === undefined) return announced.gone;
  return countedStreak(bad, confidence).count >= policy.unreachableAfter ? true : announced.gone;
}

/** The part of a streak that counts. */
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

/** Gathers the conclusions, each where the mode of the policy puts it. */
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
   * Has a fact of a type said, unless it stands already or was said before in this state of the cluster: an operator who
   * voided it, or resumed billing, is not contradicted.
   * @param isRecorded whether the ledger has the cluster unreachable, or its billing stopped.
   * @returns what is remembered of it.
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
      // At equal times a stop wins, and this one is to be ended.
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

/** From when on a stop is effective; one that was never seen alive, from the first bad verdict. */
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
