import { type Fact, parseFact } from '../../src/domain/facts/fact.ts';
import { serializeFact } from '../../src/domain/facts/recorded-fact.ts';
import { clusterStream } from '../../src/domain/stream-table.ts';
import type { LogEvent } from '../../src/eventstore/event-store.ts';
import { LedgerModel } from '../../src/projections/model/ledger-model.ts';

/** Logs made by hand: what a ledger would have recorded, without one. */

/** The id of the event at a position. */
export const idAt = (position: number) => `00000000-0000-4000-8000-${String(position).padStart(12, '0')}`;

/** Facts in the order of the log; a void names the id of its target as `idAt` gives it. */
export function modelOf(facts: readonly Fact[]): LedgerModel {
  const model = new LedgerModel();
  for (const fact of facts) applyTo(model, fact);
  return model;
}

/** Adds a fact to a model as the next of its log. */
export function applyTo(model: LedgerModel, fact: Fact): void {
  const cluster = model.clusters.find(fact.clusterId);
  const revision = cluster === undefined ? 0 : model.positionsOf(cluster).length;
  model.apply(logged(model.position + 1, revision, fact));
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

/** Facts of a golden case; what billing does not look at is filled in. */
export function goldenFacts(facts: readonly GoldenFact[]): Fact[] {
  const places = new Map(facts.map(({ id }, i) => [id, idAt(i + 1)]));
  return facts.map(({ id: _, type, ...data }) => {
    const filled = { name: 'a cluster', billable: true, reason: 'a mistake', ...data };
    const voids = data['voids'] === undefined ? {} : { voids: places.get(String(data['voids'])) };
    return parseFact(data.clusterId, type, { ...filled, ...voids });
  });
}
