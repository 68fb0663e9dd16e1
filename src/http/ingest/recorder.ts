import type { FastifyReply } from 'fastify';
import type { RecordedOut } from '../../api/events.ts';
import { type Caller, permissionsOf } from '../../domain/access/caller.ts';
import { factTypeOf } from '../../domain/facts/cloud-event.ts';
import { formatInstant } from '../../domain/time.ts';
import type { RejectedEvent } from '../../ledger/rejected-event-store.ts';
import type { NoEffect, Outcome, Submission } from '../../ledger/submission.ts';
import { VISIBLE_TIMEOUT_MS } from '../../projections/wait-limits.ts';
import type { HttpServices } from '../server/app.ts';
import { Problem, problemOf } from '../server/problem.ts';

function noEffectDetail({ why, voidedBy }: NoEffect): string {
  return why === 'voided'
    ? `event ${voidedBy} voids this fact; to record it again, post it with another id`
    : `event ${voidedBy} voids the same fact; this void changes nothing`;
}

/** Records facts, and waits until they are durable and their positions are known. */
export class Recorder {
  readonly #services: HttpServices;
  readonly #counters = new Map<string, { inc(): void }>();

  constructor(services: HttpServices) {
    this.#services = services;
  }

  /** Records facts. @returns for each submission, in order, its result or the problem why it was not recorded. */
  async record(submissions: readonly Submission[], caller: Caller): Promise<(RecordedOut | Problem)[]> {
    if (submissions.length === 0) return [];
    const outcomes = await this.#services.ledger.record(submissions, permissionsOf(caller));
    for (const [i, { outcome }] of outcomes.entries()) this.#count(submissions[i]?.fact.type ?? '', outcome);
    // Most facts are visible by now, and then nothing is waited for.
    if (outcomes.some((outcome) => this.#isUnseen(outcome))) await this.#waitUntilVisible(outcomes);
    return outcomes.map((outcome) => this.#answer(outcome));
  }

  /**
   * Keeps events that are not valid, as rejected events are kept, so that none is lost without a trace.
   * @throws the errors of `Ledger.keepRejected`
   */
  async keep(refused: readonly RejectedEvent[]): Promise<void> {
    if (refused.length === 0) return;
    await this.#services.ledger.keepRejected(refused);
    for (const { event } of refused) this.#count(factTypeOf(String(event['type'])) ?? 'unknown', 'rejected');
  }

  #count(type: string, outcome: Outcome['outcome']): void {
    const key = `${type} ${outcome}`;
    let counter = this.#counters.get(key);
    if (counter === undefined) {
      counter = this.#services.metrics.events.labels({ type, outcome });
      this.#counters.set(key, counter);
    }
    counter.inc();
  }

  /** Waits until all recorded events are visible, or until the timeout. */
  async #waitUntilVisible(outcomes: readonly Outcome[]): Promise<void> {
    const deadline = performance.now() + VISIBLE_TIMEOUT_MS;
    for (const outcome of outcomes) {
      if (!this.#isUnseen(outcome)) continue;
      await this.#services.projections.waitForEvent(
        outcome.eventId,
        Math.max(0, deadline - performance.now()),
      );
    }
  }

  /** Returns whether an event was recorded that the projections do not have yet. */
  #isUnseen(outcome: Outcome): outcome is Extract<Outcome, { readonly eventId: string }> {
    return 'eventId' in outcome && !this.#services.projections.model.has(outcome.eventId);
  }

  /** Records one fact. Answers 201 if it is new, and 200 if it is a duplicate. @throws Problem if it is rejected */
  async recordOne(submission: Submission, caller: Caller, reply: FastifyReply): Promise<void> {
    const [answer] = await this.record([submission], caller);
    if (answer instanceof Problem) throw answer;
    reply.code(answer?.outcome === 'appended' ? 201 : 200).send(answer);
  }

  #answer(outcome: Outcome): RecordedOut | Problem {
    if (outcome.outcome === 'rejected') return problemOf(outcome.rejection);
    if (outcome.outcome === 'halted') {
      const detail = `cluster ${outcome.clusterId} accepts no facts: ${outcome.why}; nothing was recorded`;
      return new Problem('cluster-halted', detail);
    }
    const { eventId, clusterId, revision, recordedAt, noEffect } = outcome;
    const place = this.#services.projections.model.locate(eventId);
    // Another process may have recorded the same event at the same time. In that case the log has its event.
    const isOwn = place === undefined || place.recordedAt === recordedAt;
    return {
      outcome: isOwn ? outcome.outcome : 'duplicate',
      eventId,
      clusterId,
      revision,
      position: place === undefined ? null : String(place.position),
      recordedAt: formatInstant(place?.recordedAt ?? recordedAt),
      ...(noEffect !== undefined && { noEffect: { ...noEffect, detail: noEffectDetail(noEffect) } }),
    };
  }
}
