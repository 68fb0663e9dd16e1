import type { Fact, FactOf } from '../../facts/fact.ts';
import { isGoneFromInventory } from '../../inventory.ts';
import { RECORDS_LABEL } from '../../kubefirst/registration.ts';
import { formatInstant, type Instant } from '../../time.ts';
import type { CountedRuns } from './outage.ts';
import { missingForOf, type Policy } from './policy.ts';
import { type Announced, type AnnouncedState, type BadStreak, isFlapping } from './probe-history.ts';
import type { ClusterEvaluation, Conclusion, RunInput } from './run-input.ts';
import { hasAnswered, isBad } from './verdict.ts';

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
  /** Whether the cluster was never seen alive, and has been silent for long enough to call another one unreachable. */
  readonly isNeverVerified: boolean;
  readonly isFlapping: boolean;
}

/** The causes for which the validator stops billing. */
type StopCause = 'unreachable' | 'missing';
type ConcludedType = 'ClusterUnreachable' | 'ClusterReachable' | 'BillingStopped' | 'BillingResumed';

/** Effect of the breaker on the conclusions of a run. */
export interface BreakerEffect {
  /** Whether conclusions from bad verdicts are withheld. Conclusions from good verdicts are still drawn. */
  readonly isWithheld: boolean;
  /** The runs whose bad verdicts count; `undefined` if all count. */
  readonly countedRuns: CountedRuns | undefined;
  /** Ids of the clusters that are part of a mass disappearance from the inventory. */
  readonly massDisappearance: ReadonlySet<string>;
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
    isNeverVerified: !isDeleted && isSilent(evaluation, run),
    isFlapping: flapping,
  };
  if (isDeleted)
    return {
      ...noConclusions,
      announced: { ...historyAfter.announced, gone: isGone(evaluation, confidence) },
    };
  if (flapping || cluster.state.registeredAt > run.decidedAt) return noConclusions;
  const builder = new ConclusionBuilder(evaluation, run);
  const isGood = hasAnswered(verdict) && (historyAfter.good?.count ?? 0) >= policy.reachableAfter;
  const isJudged = isBad(verdict) && !confidence.isWithheld;
  const { isUnconfirmed, ...answered } = isJudged
    ? concludeBad(evaluation, run, confidence, builder)
    : { ...(isGood && concludeGood(evaluation, builder)), isUnconfirmed: false };
  const announced = { ...historyAfter.announced, ...answered };
  const missing = concludeMissing(evaluation, run, confidence, announced, builder);
  return { ...noConclusions, ...builder.conclusions({ ...announced, ...missing }), isUnconfirmed };
}

/**
 * Returns whether a cluster has never been seen alive and has bad verdicts for as long as makes others unreachable. It
 * may have gone long ago, or its credential may be wrong.
 */
function isSilent(
  { historyAfter: { aliveAt, bad }, policy }: ClusterEvaluation,
  { tick }: RunInput,
): boolean {
  if (aliveAt !== undefined || bad === undefined) return false;
  return bad.count >= policy.unreachableAfter && tick - bad.tick >= policy.unreachableFor;
}

/**
 * Returns whether a deleted cluster is verified as gone: it takes as many bad verdicts as make other clusters
 * unreachable.
 */
function isGone(
  { historyAfter: { bad, announced, last }, policy }: ClusterEvaluation,
  confidence: BreakerEffect,
): true | undefined {
  if (last !== undefined && hasAnswered(last)) return undefined;
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
  { historyAfter, policy, cluster }: ClusterEvaluation,
  run: RunInput,
  confidence: BreakerEffect,
  builder: ConclusionBuilder,
): Announced & { isUnconfirmed: boolean } {
  const { state } = cluster;
  const { announced, bad, aliveAt } = historyAfter;
  const noConclusion = { isUnconfirmed: false };
  if (bad === undefined || (aliveAt === undefined && !policy.stopNeverSeen)) return noConclusion;
  const { tick, count } = countedStreak(bad, confidence);
  const span = run.tick - tick;
  if (count < policy.unreachableAfter || span < policy.unreachableFor) return noConclusion;

  const unreachable = builder.transition('ClusterUnreachable', state.unreachable, announced.unreachable);
  const isDue = span >= policy.stopAfter && state.billable;
  if (!isDue) return { unreachable, isUnconfirmed: false };
  const isStopped = state.stoppedSince !== undefined;
  if (needsInventory(policy, bad, run) && !isGoneFromInventory(cluster.inventory))
    return { unreachable, isUnconfirmed: !isStopped };
  const stopped = builder.transition('BillingStopped', isStopped, announced.stopped);
  return { unreachable, stopped, isUnconfirmed: false };
}

/**
 * Returns whether a stop needs the inventory to confirm it. With `auto` it does while the verdicts of the last
 * `stopAfter` include one that a running cluster gives too.
 */
function needsInventory({ confirmWith, stopAfter }: Policy, { ambiguousAt }: BadStreak, { tick }: RunInput) {
  if (confirmWith !== 'auto') return confirmWith === 'inventory';
  return ambiguousAt !== undefined && tick - ambiguousAt < stopAfter;
}

function concludeGood({ cluster, historyAfter }: ClusterEvaluation, builder: ConclusionBuilder): Announced {
  const { state } = cluster;
  const { announced } = historyAfter;
  const unreachable = builder.transition('ClusterReachable', state.unreachable, announced.unreachable);
  const stopped = builder.transition('BillingResumed', state.stoppedSince !== undefined, announced.stopped);
  return { unreachable, stopped };
}

/**
 * Concludes from the inventory alone: a cluster that it listed and no longer lists, and that does not answer, is gone.
 * It is billed again when it is listed again or answers.
 * @param announced what this run has announced so far.
 */
function concludeMissing(
  { cluster, policy, historyAfter: { listing }, verdict }: ClusterEvaluation,
  run: RunInput,
  { isWithheld, massDisappearance }: BreakerEffect,
  announced: Announced,
  builder: ConclusionBuilder,
): Announced {
  const { state, clusterId, inventory } = cluster;
  const isMissing = state.missingSince !== undefined;
  if (inventory === 'listed' || hasAnswered(verdict))
    return { missing: builder.transition('BillingResumed', isMissing, announced.missing, 'missing') };
  const missingFor = missingForOf(policy, cluster);
  if (missingFor === undefined || inventory !== 'gone' || listing?.goneSince === undefined) return {};
  const isDue = run.tick - listing.goneSince >= missingFor && listing.goneRuns >= policy.unreachableAfter;
  const isHeld = isWithheld || massDisappearance.has(clusterId);
  const isStoppedAlready = state.stoppedSince !== undefined || announced.stopped === 'recorded';
  const wasListed = listing.listedAt !== undefined || cluster.labels?.[RECORDS_LABEL] !== undefined;
  if (!isDue || isHeld || isStoppedAlready || !wasListed || !state.billable) return {};
  return { missing: builder.transition('BillingStopped', isMissing, announced.missing, 'missing') };
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
    cause: StopCause = 'unreachable',
  ): AnnouncedState | undefined {
    const isBeginning = type === 'ClusterUnreachable' || type === 'BillingStopped';
    if (mayRecord(type, this.#evaluation.policy.mode)) {
      const isAnnounced = isBeginning ? isRecorded || announced === 'recorded' : !isRecorded;
      if (!isAnnounced) this.#facts.push(this.#conclusion(type, cause));
      if (!isBeginning) return undefined;
      return isAnnounced ? announced : 'recorded';
    }
    const isActive = announced === 'would' || (announced !== 'ended' && isRecorded);
    const isAnnounced = isBeginning ? isActive || announced === 'recorded' : !isActive;
    if (!isAnnounced) this.#wouldHave.push(this.#conclusion(type, cause));
    if (!isBeginning) return isRecorded ? 'ended' : undefined;
    return isAnnounced ? announced : 'would';
  }

  conclusions(announced: Announced): Part {
    return { facts: this.#facts, wouldHave: this.#wouldHave, announced };
  }

  #conclusion(type: ConcludedType, cause: StopCause): Conclusion {
    const { clusterId } = this.#evaluation.cluster;
    const id = `${this.#run.run}/${clusterId}/${type}${cause === 'missing' ? '/missing' : ''}`;
    const factFrom = cause === 'missing' ? missingFactOf : factOf;
    return { id, fact: factFrom(type, this.#evaluation, this.#run) };
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

/** Returns the fact that the cause `missing` begins or ends. */
function missingFactOf(type: ConcludedType, evaluation: ClusterEvaluation, run: RunInput): Fact {
  const { cluster, historyAfter, policy, verdict } = evaluation;
  const { clusterId, state } = cluster;
  const { listing, aliveAt } = historyAfter;
  const goneSince = listing?.goneSince;
  const evidence = {
    run: run.run,
    inventory: cluster.inventory,
    ...(listing?.listedAt !== undefined && { lastListedAt: formatInstant(listing.listedAt) }),
    ...(goneSince !== undefined && { goneSince: formatInstant(goneSince), count: listing?.goneRuns ?? 0 }),
    ...(aliveAt !== undefined && { lastAliveAt: formatInstant(aliveAt) }),
    code: verdict.code,
  };
  const shared = { clusterId, policy: policy.policy, evidence, cause: 'missing' as const };
  if (type === 'BillingStopped') {
    const effectiveAt = notBefore(state.registeredAt, listing?.listedAt ?? goneSince ?? run.tick);
    const reason = 'missing: the platform no longer lists the cluster, for as long as the policy allows';
    return { ...shared, type, effectiveAt, reason, since: formatInstant(effectiveAt) };
  }
  const isListed = cluster.inventory === 'listed';
  const reason = isListed ? 'listed: the platform lists the cluster again' : 'reachable: the cluster answers';
  const seenAt = isListed ? run.tick : (historyAfter.good?.from ?? run.tick);
  const effectiveAt = notBefore((state.missingSince ?? -1) + 1, seenAt);
  return { ...shared, type: 'BillingResumed', effectiveAt, reason, since: formatInstant(effectiveAt) };
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
