import { expect } from 'vitest';
import { type OracleFact, rejectionOf } from '../oracle/oracle.ts';
import type { PostedEvent } from '../support/cloud-events.ts';
import type { Recorded, TestLedger } from '../support/ledger.ts';
import type { Post, Step } from '../support/random-posts.ts';

/** Posts a history and checks the answer to each event against the rules. */
export class Player {
  readonly accepted: OracleFact[] = [];
  readonly #ledger: TestLedger;
  readonly #posted: PostedEvent[] = [];
  readonly #recorded = new Map<string, { event: PostedEvent; answer: Recorded }>();

  constructor(ledger: TestLedger) {
    this.#ledger = ledger;
  }

  async play({ mode, steps, pauseMs }: Post): Promise<void> {
    this.#ledger.pass(pauseMs);
    const events = steps.map((step) => this.#eventFor(step));
    this.#posted.push(...events);
    if (mode === 'batch') await this.#postBatch(events);
    else for (const event of events) this.#check(event, await this.#postSingly(event, mode));
  }

  /** Whatever was recorded is a duplicate for good. */
  async postAllAgain(): Promise<void> {
    const recorded = [...this.#recorded.values()];
    await this.#postBatch(recorded.map(({ event }) => event));
  }

  async #postSingly(event: PostedEvent, mode: 'structured' | 'binary'): Promise<object> {
    const answer = mode === 'binary' ? await this.#ledger.postBinary(event) : await this.#ledger.post(event);
    const { outcome } = answer.body;
    const expected = outcome === 'appended' ? 201 : outcome === 'duplicate' ? 200 : answer.body.status;
    expect(answer.status).toBe(expected);
    return outcome === undefined ? { outcome: 'rejected', problem: answer.body } : answer.body;
  }

  async #postBatch(events: readonly PostedEvent[]): Promise<void> {
    const { status, body } = await this.#ledger.postBatch(events);
    expect(status).toBe(200);
    expect(body.results).toHaveLength(events.length);
    for (const [i, event] of events.entries()) this.#check(event, body.results[i]);
  }

  #eventFor(step: Step): PostedEvent {
    const earlier = step.kind === 'new' ? undefined : this.#posted[step.nth % this.#posted.length];
    if (step.kind === 'again' && earlier !== undefined)
      return { ...earlier, time: inAnotherZone(earlier.time) };
    if (step.kind === 'reuse' && earlier !== undefined)
      return { ...earlier, time: '2026-02-14T13:14:15.161Z' };
    if (step.kind !== 'new') return this.#posted[0] ?? neverHeard;
    const { event, voidsNth } = step.planned;
    const targets = this.accepted.filter(({ clusterId }) => clusterId === event.subject);
    if (voidsNth === undefined || targets.length === 0) return event;
    return { ...event, data: { ...event.data, voids: targets[voidsNth % targets.length]?.eventId } };
  }

  /** Returns what the answer to a repeat adds if the fact is voided. */
  #noEffectOf({ eventId }: Recorded): object {
    const voiding = this.accepted.find(({ type, voids }) => type === 'FactVoided' && voids === eventId);
    if (voiding === undefined) return {};
    return { noEffect: { why: 'voided', voidedBy: voiding.eventId, detail: expect.any(String) } };
  }

  #check(event: PostedEvent, result: { outcome?: string; problem?: { type: string } }): void {
    const what = JSON.stringify(event);
    const first = this.#recorded.get(event.id);
    if (first !== undefined) {
      if (Date.parse(first.event.time) === Date.parse(event.time)) {
        expect(result, what).toEqual({
          ...first.answer,
          outcome: 'duplicate',
          ...this.#noEffectOf(first.answer),
        });
      } else {
        expect(codeOf(result), what).toBe('event-id-reused');
      }
      return;
    }
    const fact = oracleFact(event, result as Recorded);
    const refusal = rejectionOf(this.accepted, fact, BigInt(this.#ledger.now));
    expect(codeOf(result) ?? result.outcome, what).toBe(refusal ?? 'appended');
    if (refusal !== undefined) return;
    expect(this.accepted.map(({ position }) => position)).not.toContain(fact.position);
    this.accepted.push(fact);
    this.#recorded.set(event.id, { event, answer: result as Recorded });
  }
}

const neverHeard: PostedEvent = {
  specversion: '1.0',
  id: 'never-heard',
  source: 'https://pro.example/api',
  type: 'io.clusterledger.cluster.reachable.v1',
  subject: 'c0',
  time: '2026-01-01T00:00:00Z',
  data: {},
};

function codeOf({ problem }: { problem?: { type: string } }): string | undefined {
  return problem?.type.replace('urn:cluster-ledger:problem:', '');
}

/** The same instant, written differently. */
function inAnotherZone(time: string): string {
  const local = new Date(Date.parse(time) + 5.5 * 3_600_000).toISOString();
  return local.replace('Z', '+05:30');
}

const TYPES: Readonly<Record<string, string>> = {
  'cluster.registered': 'ClusterRegistered',
  'cluster.changed': 'ClusterChanged',
  'cluster.deleted': 'ClusterDeleted',
  'billing.stopped': 'BillingStopped',
  'billing.resumed': 'BillingResumed',
  'fact.voided': 'FactVoided',
};

function oracleFact({ type, subject, time, data }: PostedEvent, answer: Recorded): OracleFact {
  const name = type.slice('io.clusterledger.'.length, -'.v1'.length);
  return {
    ...data,
    eventId: answer.eventId,
    position: Number(answer.position),
    clusterId: subject,
    type: TYPES[name] ?? name,
    effectiveAt: BigInt(Date.parse(time)),
  };
}
