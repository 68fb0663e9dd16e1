import { type Fact, type FactType, parseFact, recordedType } from '../../src/domain/facts/fact.ts';
import { serializeFact } from '../../src/domain/facts/recorded-fact.ts';
import { BILLING_BEGAN, BILLING_STREAM, clusterStream } from '../../src/domain/stream-table.ts';
import type { LogEvent } from '../../src/eventstore/event-store.ts';
import { LedgerModel } from '../../src/projections/model/ledger-model.ts';

/** Logs made by hand: what a ledger would have recorded, without one. */

/** The id of the event at a position: not in the order of the positions, as real ids are not. */
export function idAt(position: number): string {
  const scattered = String((position * 37) % 1_000).padStart(3, '0');
  return `${scattered}00000-0000-4000-8000-${String(position).padStart(12, '0')}`;
}

/** Facts in the order of the log; a void names the id of its target as `idAt` gives it. */
export function modelOf(facts: readonly Fact[]): LedgerModel {
  const model = new LedgerModel();
  for (const fact of facts) applyTo(model, fact);
  return model;
}

/**
 * Adds a fact to a model as the next of its log, by default with the next revision of its cluster, and recorded at the instant
 * that is its position.
 */
export function applyTo(
  model: LedgerModel,
  fact: Fact,
  revision = nextRevision(model, fact),
  recordedAt = model.position + 1,
): void {
  model.apply({ ...logged(model.position + 1, revision, fact), recordedAt });
}

export function nextRevision(model: LedgerModel, { clusterId }: Fact): number {
  const last = model.lastPositionOf(model.clusters.find(clusterId) ?? -1);
  return last === undefined ? 0 : model.facts.revisionAt(last) + 1;
}

/** Adds the event with which statements begin, before any fact: the golden cases count positions of facts only. */
export function begin(model: LedgerModel, period: string): void {
  model.apply({
    id: idAt(model.position + 1),
    type: BILLING_BEGAN,
    data: { period, reason: 'the former system has charged for it' },
    metadata: { source: 'test', actor: 'test' },
    recordedAt: model.position + 1,
    stream: BILLING_STREAM,
    revision: 0,
    position: model.position + 1,
  });
}

function logged(position: number, revision: number, fact: Fact): LogEvent {
  const { type, data, metadata } = serializeFact(fact, {
    source: 'test',
    id: String(position),
    actor: 'test',
  });
  return {
    id: idAt(position),
    type,
    data: data as LogEvent['data'],
    metadata: metadata as LogEvent['metadata'],
    recordedAt: position,
    stream: clusterStream(fact.clusterId),
    revision,
    position,
  };
}

export interface GoldenFact {
  readonly id: string;
  readonly clusterId: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

/**
 * Returns the facts of a golden case; what billing does not read is filled in.
 * @param first position of the last event before them.
 */
export function goldenFacts(facts: readonly GoldenFact[], first = 0): Fact[] {
  const places = new Map(facts.map(({ id }, i) => [id, idAt(first + i + 1)]));
  return facts.map(({ id: _, type, ...data }) => {
    const filled = { name: 'a cluster', reason: 'a mistake', ...data };
    const voids = data['voids'] === undefined ? {} : { voids: places.get(String(data['voids'])) };
    return parseFact(data.clusterId, recordedType(type as FactType), { ...filled, ...voids });
  });
}
