import type { FastifyReply } from 'fastify';
import type { RecordedOut } from '../../api/events.ts';
import { formatInstant } from '../../domain/time.ts';
import type { JsonObject } from '../../eventstore/json.ts';
import { LEDGER_SOURCE, type Outcome, type Submission } from '../../ledger/ledger.ts';
import { fieldErrors } from '../params/fields.ts';
import { type HttpServices, LOOPBACK_CALLER } from '../server/app.ts';
import { invalidRequest, Problem, problemOf } from '../server/problem.ts';
import { CloudEvent, submissionOf } from './cloud-event.ts';

/** With what the ledger adds, and with the problem of a refused one, an event stays below the 65,535 bytes of a log entry. */
export const MAX_EVENT_BYTES = 60 * 1024;

/** A body may be a sixth of what it says: `1e20` is written down as 21 digits. */
const LARGEST_EXPANSION = 6;

/** How long an answer waits for the place of an event in the log; it is durable before that. */
const PLACE_WAIT_MS = 2_000;

/** Reads one event. @returns the submission, or the problem that says which fields are at fault. */
export function parseEvent(posted: unknown, bodyBytes: number): Submission | Problem {
  const parsed = CloudEvent.safeParse(posted);
  if (!parsed.success) return invalidRequest(fieldErrors(parsed.error, posted));
  if (parsed.data.source.startsWith(LEDGER_SOURCE)) {
    const detail = `must not begin with ${LEDGER_SOURCE}: that is the ledger itself; given ${parsed.data.source}`;
    return invalidRequest([{ pointer: '/source', detail }]);
  }
  if (bodyBytes > MAX_EVENT_BYTES / LARGEST_EXPANSION) {
    const bytes = Buffer.byteLength(JSON.stringify(posted));
    const detail = `an event may have ${MAX_EVENT_BYTES} bytes; this one has ${bytes}`;
    if (bytes > MAX_EVENT_BYTES) return new Problem('too-large', detail);
  }
  return submissionOf(parsed.data, posted as JsonObject, LOOPBACK_CALLER.actor);
}

/** Has facts recorded, and answers once they are durable and their places are known. */
export class Recorder {
  readonly #services: HttpServices;
  readonly #counters = new Map<string, { inc(): void }>();

  constructor(services: HttpServices) {
    this.#services = services;
  }

  /** @returns for each submission, in order, where it is, or the problem that kept it out. */
  async record(submissions: readonly Submission[]): Promise<(RecordedOut | Problem)[]> {
    if (submissions.length === 0) return [];
    const outcomes = await this.#services.ledger.record(submissions, LOOPBACK_CALLER);
    this.#count(submissions, outcomes);
    await this.#placed(outcomes);
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

  /** Waits until each of them has its place, or for as long as an answer may. */
  async #placed(outcomes: readonly Outcome[]): Promise<void> {
    const { projections } = this.#services;
    const deadline = performance.now() + PLACE_WAIT_MS;
    for (const outcome of outcomes) {
      if (!('eventId' in outcome) || projections.model.locate(outcome.eventId) !== undefined) continue;
      await projections.waitForEvent(outcome.eventId, Math.max(0, deadline - performance.now()));
    }
  }

  /** Has one fact recorded: 201 where it is new, 200 where it was recorded before. @throws Problem where it is refused */
  async recordOne(submission: Submission, reply: FastifyReply): Promise<void> {
    const [answer] = await this.record([submission]);
    if (answer instanceof Problem) throw answer;
    reply.code(answer?.outcome === 'appended' ? 201 : 200).send(answer);
  }

  #answer(outcome: Outcome): RecordedOut | Problem {
    if (outcome.outcome === 'rejected') return problemOf(outcome.rejection);
    if (outcome.outcome === 'halted') {
      const detail = `cluster ${outcome.clusterId} takes no facts: ${outcome.why}; nothing was recorded`;
      return new Problem('cluster-halted', detail);
    }
    const { eventId, clusterId, revision, recordedAt } = outcome;
    const place = this.#services.projections.model.locate(eventId);
    // Another process may have recorded the same at the same moment: then it is theirs that stands.
    const isOurs = place === undefined || place.recordedAt === recordedAt;
    return {
      outcome: isOurs ? outcome.outcome : 'duplicate',
      eventId,
      clusterId,
      revision,
      position: place === undefined ? null : String(place.position),
      recordedAt: formatInstant(place?.recordedAt ?? recordedAt),
    };
  }
}
