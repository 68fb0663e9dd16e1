import type { Fact, FactOf } from '../../facts/fact.ts';
import { formatInstant, type Instant } from '../../time.ts';
import type { Trust } from './outage.ts';
import { type Announced, type AnnouncedState, type BadStreak, isBad, isFlapping } from './probe-history.ts';
import type { ClusterEvaluation, Conclusion, RunInput } from './run-input.ts';

/** What is concluded about one cluster in one run. */
export interface Conclusions {
  readonly facts: readonly Conclusion[];
  readonly wouldHave: readonly Conclusion[];
  readonly marks: Announced;
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
export function conclude(each: ClusterEvaluation, run: RunInput, confidence: Confidence): Conclusions {
  const { after, policy, verdict, isDeleted, cluster } = each;
  const flapping = isFlapping(after, policy.flapLimit, run.tick);
  const nothing = {
    facts: [],
    wouldHave: [],
    marks: after.marks,
    isUnconfirmed: false,
    isFlapping: flapping,
  };
  if (isDeleted) return { ...nothing, marks: { ...after.marks, gone: isGone(each, confidence) } };
  if (flapping || cluster.state.registeredAt > run.decidedAt) return nothing;
  if (isBad(verdict))
    return confidence.isWithheld ? nothing : { ...nothing, ...concludeBad(each, run, confidence) };
  const isGood = verdict.state === 'alive' && (after.good?.count ?? 0) >= policy.reachableAfter;
  return isGood ? { ...nothing, ...concludeGood(each, run) } : nothing;
}

/** Of a deleted cluster: whether it is gone, by as many bad verdicts as make another unreachable. */
function isGone(
  { after: { bad, marks, last }, policy }: ClusterEvaluation,
  confidence: Confidence,
): true | undefined {
  if (last?.state === 'alive') return undefined;
  if (confidence.isWithheld || bad === undefined) return marks.gone;
  return counted(bad, confidence).count >= policy.unreachableAfter ? true : marks.gone;
}

/** The part of a streak that counts. */
function counted({ tick, count }: BadStreak, { trust }: Pick<Confidence, 'trust'>) {
  if (trust === undefined || trust.from <= tick) return { tick, count };
  return { tick: trust.from, count: Math.min(count, trust.runs) };
}

type Part = Pick<Conclusions, 'facts' | 'wouldHave' | 'marks'>;

function concludeBad(
  each: ClusterEvaluation,
  run: RunInput,
  confidence: Confidence,
): Part & { isUnconfirmed: boolean } {
  const { after, policy, cluster } = each;
  const { state } = cluster;
  const { marks } = after;
  const none = { facts: [], wouldHave: [], marks, isUnconfirmed: false };
  const { bad } = after;
  if (bad === undefined) return none;
  const { tick, count } = counted(bad, confidence);
  const span = run.tick - tick;
  if (count < policy.unreachableAfter || span < policy.unreachableFor) return none;

  const out = new Collected(each, run);
  const unreachable = out.turn('ClusterUnreachable', state.unreachable, marks.unreachable);
  const isDue = span >= policy.stopAfter && state.billable;
  if (!isDue) return { ...out.part({ unreachable, stopped: marks.stopped }), isUnconfirmed: false };
  if (policy.confirmWith === 'inventory' && cluster.inventory !== 'gone') {
    return { ...out.part({ unreachable, stopped: marks.stopped }), isUnconfirmed: true };
  }
  const stopped = out.turn('BillingStopped', state.heldSince !== undefined, marks.stopped);
  return { ...out.part({ unreachable, stopped }), isUnconfirmed: false };
}

function concludeGood(each: ClusterEvaluation, run: RunInput): Part {
  const { state } = each.cluster;
  const { marks } = each.after;
  const out = new Collected(each, run);
  const unreachable = out.turn('ClusterReachable', state.unreachable, marks.unreachable);
  const stopped = out.turn('BillingResumed', state.heldSince !== undefined, marks.stopped);
  return out.part({ unreachable, stopped });
}

/** Gathers what is concluded, each where the mode of the policy puts it. */
class Collected {
  readonly #each: ClusterEvaluation;
  readonly #run: RunInput;
  readonly #facts: Conclusion[] = [];
  readonly #wouldHave: Conclusion[] = [];

  constructor(each: ClusterEvaluation, run: RunInput) {
    this.#each = each;
    this.#run = run;
  }

  /**
   * Has a fact of a type said, unless it stands already or was said before in this state of the cluster: an operator who
   * voided it, or resumed billing, is not contradicted.
   * @param isRecorded whether the ledger has the cluster unreachable, or its billing stopped.
   * @returns what is remembered of it.
   */
  turn(type: Type, isRecorded: boolean, mark: AnnouncedState | undefined): AnnouncedState | undefined {
    const isBeginning = type === 'ClusterUnreachable' || type === 'BillingStopped';
    if (mayRecord(type, this.#each.policy.mode)) {
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

  part(marks: Announced): Part {
    return { facts: this.#facts, wouldHave: this.#wouldHave, marks };
  }

  #conclusion(type: Type): Conclusion {
    const { clusterId } = this.#each.cluster;
    return { id: `${this.#run.run}/${clusterId}/${type}`, fact: factOf(type, this.#each, this.#run) };
  }
}

function mayRecord(type: Type, mode: ClusterEvaluation['policy']['mode']): boolean {
  if (mode === 'observe') return false;
  return mode === 'enforce' || type === 'ClusterUnreachable' || type === 'ClusterReachable';
}

function factOf(type: Type, each: ClusterEvaluation, run: RunInput): Fact {
  const { clusterId, state } = each.cluster;
  const { policy } = each.policy;
  const { good, bad } = each.after;
  const common = { clusterId, policy, evidence: evidenceOf(each, run) };
  const seenAt = (good ?? bad)?.to ?? run.tick;
  switch (type) {
    case 'ClusterUnreachable':
      return { ...common, type, effectiveAt: notBefore(state.registeredAt, seenAt), since: sinceOf(bad) };
    case 'ClusterReachable':
      return { ...common, type, effectiveAt: good?.from ?? run.tick, since: sinceOf(good) };
    case 'BillingStopped': {
      const effectiveAt = notBefore(state.registeredAt, stopInstant(each, run));
      const reason = 'unreachable: the cluster has not answered for as long as the policy allows';
      return { ...common, type, cause: 'unreachable', effectiveAt, reason, since: sinceOf(bad) };
    }
    case 'BillingResumed': {
      // At equal times a stop wins, and this one is to be ended.
      const effectiveAt = notBefore((state.heldSince ?? -1) + 1, good?.from ?? run.tick);
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
