import type { Fact } from '../domain/facts/fact.ts';
import { type Origin, serializeFact } from '../domain/facts/recorded-fact.ts';
import { clusterStream } from '../domain/stream-table.ts';
import type { NewEvent, StoredJson } from '../eventstore/event-store.ts';
import type { JsonObject } from '../eventstore/json.ts';
import { eventId } from './event-id.ts';

/** The event that records a fact, with its JSON. */
export interface FactEvent extends NewEvent {
  readonly json: StoredJson;
  readonly content: Fact;
}

/**
 * Returns the event that records a fact. The fact is serialized once: the id is computed from its text, and the stored data is
 * made from that text too. Followers in this process get the fact itself.
 */
export function factEvent(fact: Fact, origin: Origin, recordedAt: number): FactEvent {
  const text = JSON.stringify(fact);
  const { type, data, metadata } = serializeFact(fact, origin);
  return {
    id: eventId(clusterStream(fact.clusterId), origin.source, origin.id, text),
    type,
    data: data as JsonObject,
    metadata: metadata as JsonObject,
    recordedAt,
    json: { data: dataText(fact, text, data), metadata: JSON.stringify(metadata) },
    content: fact,
  };
}

/** Returns the JSON of the stored data of a fact. @param text the JSON of the fact. @param data the data. */
function dataText(
  { type, clusterId, effectiveAt }: Fact,
  text: string,
  data: { effectiveAt: string },
): string {
  const head = `{"type":"${type}","clusterId":"${clusterId}","effectiveAt":${effectiveAt}`;
  // Ids of clusters need no escapes. A fact with its fields in another order is serialized again.
  if (!text.startsWith(head)) return JSON.stringify(data);
  const others = text.slice(head.length, -1);
  return `{"clusterId":"${clusterId}"${others},"effectiveAt":"${data.effectiveAt}"}`;
}
