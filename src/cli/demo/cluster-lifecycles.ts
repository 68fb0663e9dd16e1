import { DAY_MS, formatInstant, HOUR_MS, type Instant, MINUTE_MS, SECOND_MS } from '../../domain/time.ts';
import type { Cluster } from './sample-accounts.ts';
import type { SeededRandom } from './seeded-random.ts';
import { OPERATOR, POLICY, PRO_APP, type Step, type Timeline, VALIDATOR } from './timeline.ts';

/** Time without an answer after which the policy stops billing. */
const STOP_AFTER_MS = DAY_MS;

/** Posts the facts of typical events in the life of a cluster. Each fact is recorded a little after its effective time. */
export class ClusterLifecycles {
  readonly #timeline: Timeline;
  readonly #random: SeededRandom;

  constructor(timeline: Timeline, random: SeededRandom) {
    this.#timeline = timeline;
    this.#random = random;
  }

  register(cluster: Cluster, at: Instant, lateBy = this.#recordingDelay()): Step {
    return this.#timeline.post(PRO_APP, at + lateBy, {
      type: 'ClusterRegistered',
      ...cluster,
      effectiveAt: at,
    });
  }

  /** Posts the request and the confirmation of a deletion. @returns the instant of the confirmation, and the deletion id. */
  confirmDeletion({ clusterId }: Cluster, at: Instant): { confirmedAt: Instant; deletionId: string } {
    const deletionId = `del-${this.#random.id(8)}`;
    const confirmedAt = at + this.#random.between(20, 200) * SECOND_MS;
    const about = { clusterId, deletionId };
    this.#post(PRO_APP, { type: 'ClusterDeletionRequested', ...about, effectiveAt: at });
    this.#post(PRO_APP, { type: 'ClusterDeletionConfirmed', ...about, effectiveAt: confirmedAt });
    return { confirmedAt, deletionId };
  }

  /** Posts a deletion that is cancelled. */
  cancelDeletion({ clusterId }: Cluster, at: Instant): void {
    const about = { clusterId, deletionId: `del-${this.#random.id(8)}` };
    this.#post(PRO_APP, { type: 'ClusterDeletionRequested', ...about, effectiveAt: at });
    const effectiveAt = at + this.#random.between(1, 8) * MINUTE_MS;
    this.#post(PRO_APP, { type: 'ClusterDeletionCancelled', ...about, effectiveAt });
  }

  /** Posts a whole deletion. @param lateBy milliseconds between the deletion and its recording. */
  delete(cluster: Cluster, at: Instant, lateBy = this.#recordingDelay()): Step {
    const { clusterId } = cluster;
    const { confirmedAt, deletionId } = this.confirmDeletion(cluster, at);
    let deletedAt = confirmedAt + this.#random.between(4 * MINUTE_MS, 22 * MINUTE_MS);
    if (this.#random.chance(0.05)) {
      const reason = 'a volume is still attached; tried again';
      this.#post(PRO_APP, {
        type: 'ClusterDeletionFailed',
        clusterId,
        deletionId,
        reason,
        effectiveAt: deletedAt,
      });
      deletedAt += this.#random.between(HOUR_MS, 5 * HOUR_MS);
    }
    return this.#timeline.post(PRO_APP, deletedAt + lateBy, {
      type: 'ClusterDeleted',
      clusterId,
      effectiveAt: deletedAt,
    });
  }

  /** Posts a time without contact. If it exceeds `STOP_AFTER_MS`, billing stops from its start. */
  outage({ clusterId }: Cluster, from: Instant, to: Instant): void {
    const policy = 'default@3';
    this.#post(VALIDATOR, {
      type: 'ClusterUnreachable',
      clusterId,
      effectiveAt: from + 15 * MINUTE_MS,
      since: formatInstant(from),
      evidence: {
        code: this.#random.pick(['ECONNREFUSED', 'EHOSTUNREACH', 'ENOTFOUND', 'timeout']),
        tries: 3,
      },
      policy,
    });
    const isStopped = to - from > STOP_AFTER_MS;
    if (isStopped) {
      this.#timeline.post(POLICY, from + STOP_AFTER_MS + this.#recordingDelay(), {
        type: 'BillingStopped',
        clusterId,
        effectiveAt: from,
        cause: 'unreachable',
        reason: 'no answer for 24 hours',
        policy,
      });
    }
    this.#post(VALIDATOR, {
      type: 'ClusterReachable',
      clusterId,
      effectiveAt: to,
      evidence: { status: 200 },
      policy,
    });
    if (isStopped)
      this.#post(POLICY, {
        type: 'BillingResumed',
        clusterId,
        effectiveAt: to,
        cause: 'unreachable',
        policy,
      });
  }

  /** Posts a stop of billing by an operator. @param to when billing resumes; `undefined` if it does not. */
  stopBilling({ clusterId }: Cluster, from: Instant, to: Instant | undefined, reason: string): Step {
    const about = { clusterId, cause: 'manual' as const };
    const stop = this.#post(OPERATOR, { type: 'BillingStopped', ...about, effectiveAt: from, reason });
    if (to !== undefined) this.#post(OPERATOR, { type: 'BillingResumed', ...about, effectiveAt: to });
    return stop;
  }

  void(mistake: Step, at: Instant, reason: string): void {
    const { clusterId } = mistake.fact;
    const fact = { type: 'FactVoided', clusterId, effectiveAt: at, voids: '', reason } as const;
    this.#timeline.post(OPERATOR, at + this.#recordingDelay(), fact, mistake);
  }

  #post(poster: Parameters<Timeline['post']>[0], fact: Step['fact']): Step {
    return this.#timeline.post(poster, fact.effectiveAt + this.#recordingDelay(), fact);
  }

  /** Returns a random delay between an event and its recording, in milliseconds. */
  #recordingDelay(): number {
    return this.#random.between(120, 9_000);
  }
}
