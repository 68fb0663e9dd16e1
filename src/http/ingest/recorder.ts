import type { FastifyReply } from 'fastify';
import type { RecordedOut } from '../../api/events.ts';
import { type Caller, permissionsOf } from '../../domain/access/caller.ts';
import { LEDGER_SOURCE } from '../../domain/facts/cloud-event.ts';
import { formatInstant } from '../../domain/time.ts';
import type { JsonObject } from '../../eventstore/json.ts';
import type { NoEffect, Outcome, Submission } from '../../ledger/submission.ts';
import { VISIBLE_TIMEOUT_MS } from '../../projections/wait-limits.ts';
import { fieldErrors } from '../params/fields.ts';
import type { HttpServices } from '../server/app.ts';
import { invalidRequest, Problem, problemOf } from '../server/problem.ts';
import { CloudEvent, submissionOf } from './cloud-event-envelope.ts';

/** Maximum size of an event. With the metadata of the ledger or the problem of a rejected event, it stays below the 65,535 bytes of a log entry. */
export const MAX_EVENT_BYTES = 60 * 1024;

/** Maximum ratio of the size of the canonical JSON to the size of the body: `1e20` is written as 21 digits. */
const LARGEST_EXPANSION = 6;

function noEffectDetail({ why, voidedBy }: NoEffect): string {
  return why === 'voided'
    ? `event ${voidedBy} voids this fact; to record it again, post it with another id`
    : `event ${voidedBy} voids the same fact; this void changes nothing`;
}

/** Parses one event. @returns the submission, or the problem that names the invalid fields. */
export function parseEvent(posted: unknown, bodyBytes: number, actor: string): Submission | Problem {
  const parsed = CloudEvent.safeParse(posted);
  if (!parsed.success) return invalidRequest(fieldErrors(parsed.error, posted));
  if (parsed.data.source.startsWith(LEDGER_SOURCE)) {
    const detail = `must not begin with ${LEDGER_SOURCE}, which is reserved for the ledger; given ${parsed.data.source}`;
    return invalidRequest([{ pointer: '/source', detail }]);
  }
  if (bodyBytes > MAX_EVENT_BYTES / LARGEST_EXPANSION) {
    const bytes = Buffer.byteLength(JSON.stringify(posted));
    const detail = `an event may have at most ${MAX_EVENT_BYTES} bytes; this event has ${bytes}`;
    if (bytes > MAX_EVENT_BYTES) return new Problem('too-large', detail);
  }
  return submissionOf(parsed.data, posted as JsonObject, actor);
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
    this.#count(submissions, outcomes);
    await this.#waitUntilVisible(outcomes);
    return outcomes.map((outcome) => this.#answer(outcome));
  }

  #count(submissions: readonly Submission[], outcomes: readonly Outcome[]): void {
    for (const [i, { outcome }] of outcomes.entries()) {
      const type = submissions[i]?.fact.type ?? '';
      const key = `${type} ${outcome}`;
      let counter = this.#counters.get(key);
      if (counter === undefined) {
        counter = this.#services.metrics.events.labels({ type, outcome });
        this.#counters.set(key, counter);
      }
      counter.inc();
    }
  }

  /** Waits until all recorded events are visible, or until the timeout. */
  async #waitUntilVisible(outcomes: readonly Outcome[]): Promise<void> {
    const { projections } = this.#services;
    const deadline = performance.now() + VISIBLE_TIMEOUT_MS;
    for (const outcome of outcomes) {
      if (!('eventId' in outcome) || projections.model.locate(outcome.eventId) !== undefined) continue;
      await projections.waitForEvent(outcome.eventId, Math.max(0, deadline - performance.now()));
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
