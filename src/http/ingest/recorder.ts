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

/** Returns whether an event was recorded whose position the projections do not know yet. */
function isUnseen(answer: RecordedOut | Problem): boolean {
  return 'position' in answer && answer.position === null;
}

/** Records facts, and waits until they are durable and their positions are known. */
export class Recorder {
  readonly #services: HttpServices;
  readonly #counters = new Map<string, { inc(number: number): void }>();

  constructor(services: HttpServices) {
    this.#services = services;
  }

  /** Records facts. @returns for each submission, in order, its result or the problem why it was not recorded. */
  async record(submissions: readonly Submission[], caller: Caller): Promise<(RecordedOut | Problem)[]> {
    if (submissions.length === 0) return [];
    const outcomes = await this.#services.ledger.record(submissions, permissionsOf(caller));
    this.#countAll(submissions, outcomes);
    const answers = outcomes.map((outcome) => this.#answer(outcome));
    // Most facts are visible by now, and then nothing is waited for.
    if (!answers.some(isUnseen)) return answers;
    await this.#waitUntilVisible(outcomes);
    return outcomes.map((outcome) => this.#answer(outcome));
  }

  /**
   * Keeps events that are not valid, as rejected events are kept, so that none is lost without a trace.
   * @throws the errors of `Ledger.keepRejected`
   */
  async keep(refused: readonly RejectedEvent[]): Promise<void> {
    if (refused.length === 0) return;
    await this.#services.ledger.keepRejected(refused);
    for (const { event } of refused)
      this.#count(factTypeOf(String(event['type'])) ?? 'unknown', 'rejected', 1);
  }

  /** Counts the outcomes of facts. Consecutive ones that are alike, as most of a batch are, are counted at once. */
  #countAll(submissions: readonly Submission[], outcomes: readonly Outcome[]): void {
    for (let from = 0, to = 0; from < outcomes.length; from = to) {
      const type = submissions[from]?.fact.type ?? '';
      const { outcome } = outcomes[from] as Outcome;
      do to++;
      while (submissions[to]?.fact.type === type && outcomes[to]?.outcome === outcome);
      this.#count(type, outcome, to - from);
    }
  }

  #count(type: string, outcome: Outcome['outcome'], number: number): void {
    const key = `${type} ${outcome}`;
    let counter = this.#counters.get(key);
    if (counter === undefined) {
      counter = this.#services.metrics.events.labels({ type, outcome });
      this.#counters.set(key, counter);
    }
    counter.inc(number);
  }

  /** Waits until all recorded events are visible, or until the timeout. */
  async #waitUntilVisible(outcomes: readonly Outcome[]): Promise<void> {
    const deadline = performance.now() + VISIBLE_TIMEOUT_MS;
    for (const outcome of outcomes) {
      if (!('eventId' in outcome)) continue;
      await this.#services.projections.waitForEvent(
        outcome.eventId,
        Math.max(0, deadline - performance.now()),
      );
    }
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
