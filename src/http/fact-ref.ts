import { z } from 'zod';
import { FACT_TYPES } from '../domain/facts/fact.ts';
import { originOf } from '../domain/facts/recorded-fact.ts';
import type { RecordedEvent } from '../eventstore/event-store.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import { InstantOut, instantOut, PositionOut } from './params/fields.ts';

const fields = {
  eventId: z.string(),
  position: PositionOut,
  type: z.enum(FACT_TYPES),
  clusterId: z.string(),
  source: z.string().describe('Of the producer, as is the id.'),
  id: z.string(),
  actor: z.string().describe('Who posted it, as the ledger knows them.'),
  effectiveAt: InstantOut,
  recordedAt: InstantOut,
};

/** A fact by name: enough to find it, and to say who said it and when. */
export const FactRef = z.strictObject(fields).meta({ id: 'FactRef' });
export type FactRef = z.output<typeof FactRef>;

/** The columns of a table that names a fact. */
export const FACT_COLUMNS = Object.keys(fields) as (keyof FactRef)[];

/** @param facts holds the fact as it was recorded. @throws RangeError where it does not. */
export function factRef(
  model: LedgerModel,
  facts: ReadonlyMap<number, RecordedEvent>,
  position: number,
): FactRef {
  const event = facts.get(position);
  if (event === undefined) throw new RangeError(`the store does not have the fact at position ${position}`);
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
