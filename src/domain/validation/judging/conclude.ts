import type { Fact, FactOf } from '../../facts/fact.ts';
import { formatInstant, type Instant } from '../../time.ts';
import type { Trust } from './outage.ts';
import { type Announced, type AnnouncedState, type BadStreak, isBad, isFlapping } from './probe-history.ts';
import type { ClusterEvaluation, Conclusion, RunInput } from './run-input.ts';

/** What is concluded about one cluster in one run. */
export interface Conclusions {
  readonly facts: readonly Conclusion[];
  readonly wouldHave: readonly Conclusion[];
  readonly announced: Announced;
  /** Long enough unreachable to stop billing, but the inventory does not say that it is gone. */
  readonly isUnconfirmed: boolean;
  readonly isFlapping: boolean;
}

type Type = 'ClusterUnreachable' | 'ClusterReachable' | 'BillingStopped' | 'BillingResumed';

/** What the breaker lets be concluded. */
export interface Confidence {
  /** Nothing bad is; what answers again is still said to. */
  readonly isWithheld: boolean;
  /** Only from these runs; `undefined` for all. */
  readonly trust: Trust | undefined;
}

/** What the verdicts of a cluster come to. */
export function conclude(evaluation: ClusterEvaluation, run: RunInput, confidence: Confidence): Conclusions {
  const { after, policy, verdict, isDeleted, cluster } = evaluation;
  const flapping = isFlapping(after, policy.flapLimit, run.tick);
  const nothing = {
    facts: [],
    wouldHave: [],
    announced: after.announced,
    isUnconfirmed: false,
    isFlapping: flapping,
  };
  if (isDeleted)
    return { ...nothing, announced: { ...after.announced, gone: isGone(evaluation, confidence) } };
  if (flapping || cluster.state.registeredAt > run.decidedAt) return nothing;
  if (isBad(verdict))
    return confidence.isWithheld ? nothing : { ...nothing, ...concludeBad(evaluation, run, confidence) };
  const isGood = verdict.state === 'alive' && (after.good?.count ?? 0) >= policy.reachableAfter;
  return isGood ? { ...nothing, ...concludeGood(evaluation, run) } : nothing;
}

/** Of a deleted cluster: whether it is gone, by as many bad verdicts as make another unreachable. */
function isGone(
  { after: { bad, announced, last }, policy }: ClusterEvaluation,
  confidence: Confidence,
): true | undefined {
  if (last?.state === 'alive') return undefined;
  if (confidence.isWithheld || bad === undefined) return announced.gone;
  return counted(bad, confidence).count >= policy.unreachableAfter ? true : announced.gone;
}

/** The part of a streak that counts. */
function counted({ tick, count }: BadStreak, { trust }: Pick<Confidence, 'trust'>) {
  if (trust === undefined || trust.from <= tick) return { tick, count };
  return { tick: trust.from, count: Math.min(count, trust.runs) };
}

type Part = Pick<Conclusions, 'facts' | 'wouldHave' | 'announced'>;

function concludeBad(
  evaluation: ClusterEvaluation,
  run: RunInput,
  confidence: Confidence,
): Part & { isUnconfirmed: boolean } {
  const { after, policy, cluster } = evaluation;
  const { state } = cluster;
  const { announced } = after;
  const none = { facts: [], wouldHave: [], announced, isUnconfirmed: false };
  const { bad } = after;
  if (bad === undefined) return none;
  const { tick, count } = counted(bad, confidence);
  const span = run.tick - tick;
  if (count < policy.unreachableAfter || span < policy.unreachableFor) return none;

  const out = new ConclusionBuilder(evaluation, run);
  const unreachable = out.transition('ClusterUnreachable', state.unreachable, announced.unreachable);
  const isDue = span >= policy.stopAfter && state.billable;
  if (!isDue) return { ...out.part({ unreachable, stopped: announced.stopped }), isUnconfirmed: false };
  if (policy.confirmWith === 'inventory' && cluster.inventory !== 'gone') {
    return { ...out.part({ unreachable, stopped: announced.stopped }), isUnconfirmed: true };
  }
  const stopped = out.transition('BillingStopped', state.stoppedSince !== undefined, announced.stopped);
  return { ...out.part({ unreachable, stopped }), isUnconfirmed: false };
}

function concludeGood(evaluation: ClusterEvaluation, run: RunInput): Part {
  const { state } = evaluation.cluster;
  const { announced } = evaluation.after;
  const out = new ConclusionBuilder(evaluation, run);
  const unreachable = out.transition('ClusterReachable', state.unreachable, announced.unreachable);
  const stopped = out.transition('BillingResumed', state.stoppedSince !== undefined, announced.stopped);
  return out.part({ unreachable, stopped });
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
  transition(type: Type, isRecorded: boolean, mark: AnnouncedState | undefined): AnnouncedState | undefined {
    const isBeginning = type === 'ClusterUnreachable' || type === 'BillingStopped';
    if (mayRecord(type, this.#evaluation.policy.mode)) {
      const isSaid = isBeginning ? isRecorded || mark === 'recorded' : !isRecorded;
      if (!isSaid) this.#facts.push(this.#conclusion(type));
      if (!isBeginning) return undefined;
      return isSaid ? mark : 'recorded';
    }
    const holds = mark === 'would' || (mark !== 'ended' && isRecorded);
    const isSaid = isBeginning ? holds || mark === 'recorded' : !holds;
    if (!isSaid) this.#wouldHave.push(this.#conclusion(type));
    if (!isBeginning) return isRecorded ? 'ended' : undefined;
    return isSaid ? mark : 'would';
  }

  part(announced: Announced): Part {
    return { facts: this.#facts, wouldHave: this.#wouldHave, announced };
  }

  #conclusion(type: Type): Conclusion {
    const { clusterId } = this.#evaluation.cluster;
    return { id: `${this.#run.run}/${clusterId}/${type}`, fact: factOf(type, this.#evaluation, this.#run) };
  }
}

function mayRecord(type: Type, mode: ClusterEvaluation['policy']['mode']): boolean {
  if (mode === 'observe') return false;
  return mode === 'enforce' || type === 'ClusterUnreachable' || type === 'ClusterReachable';
}

function factOf(type: Type, evaluation: ClusterEvaluation, run: RunInput): Fact {
  const { clusterId, state } = evaluation.cluster;
  const { policy } = evaluation.policy;
  const { good, bad } = evaluation.after;
  const common = { clusterId, policy, evidence: evidenceOf(evaluation, run) };
  const seenAt = (good ?? bad)?.to ?? run.tick;
  switch (type) {
    case 'ClusterUnreachable':
      return { ...common, type, effectiveAt: notBefore(state.registeredAt, seenAt), since: sinceOf(bad) };
    case 'ClusterReachable':
      return { ...common, type, effectiveAt: good?.from ?? run.tick, since: sinceOf(good) };
    case 'BillingStopped': {
      const effectiveAt = notBefore(state.registeredAt, stopInstant(evaluation, run));
      const reason = 'unreachable: the cluster has not answered for as long as the policy allows';
      return { ...common, type, cause: 'unreachable', effectiveAt, reason, since: sinceOf(bad) };
    }
    case 'BillingResumed': {
      // At equal times a stop wins, and this one is to be ended.
      const effectiveAt = notBefore((state.stoppedSince ?? -1) + 1, good?.from ?? run.tick);
      const reason = 'reachable: the cluster answers again';
      return { ...common, type, cause: 'unreachable', effectiveAt, reason, since: sinceOf(good) };
    }
  }
}

const notBefore = (earliest: Instant, instant: Instant) => Math.max(earliest, instant);

function sinceOf(streak: { readonly from: Instant } | undefined): string {
  return formatInstant(streak?.from ?? 0);
}

/** From when on a stop is effective; one that was never seen alive, from the first bad verdict. */
function stopInstant(
  { policy, after: { aliveAt, bad } }: ClusterEvaluation,
  { decidedAt, tick }: RunInput,
): Instant {
  if (policy.stopEffective === 'decision') return decidedAt;
  const first = bad?.from ?? tick;
  return policy.stopEffective === 'last-alive' ? (aliveAt ?? first) : first;
}

type Evidence = NonNullable<FactOf<'ClusterUnreachable'>['evidence']>;

function evidenceOf(
  { after: { good, bad, aliveAt, uid }, verdict }: ClusterEvaluation,
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
  const seen = verdict.uid !== undefined && verdict.uid !== uid && { uidSeen: verdict.uid };
  return { run, ...streak, ...(uid !== undefined && { uid }), ...seen };
}
