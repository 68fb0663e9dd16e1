import type { FactRef } from '../api/fact-ref.ts';
import { originOf } from '../domain/facts/recorded-fact.ts';
import type { RecordedEvent } from '../eventstore/event-store.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import type { Position } from '../util/log-numbers.ts';
import { instantOut } from './params/fields.ts';

/** Returns the reference to a fact. @param facts recorded facts by position. @throws RangeError if the fact is not among them */
export function factRef(
  model: LedgerModel,
  facts: ReadonlyMap<number, RecordedEvent>,
  position: Position,
): FactRef {
  const event = facts.get(position);
  if (event === undefined) throw new RangeError(`the store has no fact at position ${position}`);
  const { source, id, actor } = originOf(event);
  return {
    eventId: event.id,
    position: String(position),
    type: model.facts.typeAt(position),
    clusterId: model.clusters.text(model.facts.clusterAt(position)),
    source,
    id,
    actor,
    effectiveAt: instantOut(model.facts.effectiveAt(position)),
    recordedAt: instantOut(event.recordedAt),
  };
}
