import { type Fact, recordedType } from '../domain/facts/fact.ts';
import { factData, type Origin, originMetadata } from '../domain/facts/recorded-fact.ts';
import { clusterStream } from '../domain/stream-table.ts';
import { formatInstant } from '../domain/time.ts';
import type { NewEvent, StoredJson } from '../eventstore/event-store.ts';
import type { JsonObject } from '../eventstore/json.ts';
import { eventId } from './event-id.ts';

/**
 * The event that records a fact. The fact is serialized once: the id is computed from its text, and the stored data is made
 * from that text too. Followers in this process get the fact itself.
 */
export class FactEvent implements NewEvent {
  readonly id: string;
  readonly type: string;
  readonly recordedAt: number;
  readonly json: StoredJson;
  readonly content: Fact;
  readonly #origin: Origin;

  constructor(fact: Fact, origin: Origin, recordedAt: number) {
    const text = JSON.stringify(fact);
    this.id = eventId(clusterStream(fact.clusterId), origin.source, origin.id, text);
    this.type = recordedType(fact.type);
    this.recordedAt = recordedAt;
    this.json = { data: dataText(fact, text), metadata: JSON.stringify(originMetadata(origin)) };
    this.content = fact;
    this.#origin = origin;
  }

  get data(): JsonObject {
    return factData(this.content) as JsonObject;
  }

  get metadata(): JsonObject {
    return originMetadata(this.#origin) as JsonObject;
  }
}

/** Returns the JSON of the stored data of a fact. @param text the JSON of the fact. */
function dataText(fact: Fact, text: string): string {
  const { type, clusterId, effectiveAt } = fact;
  const head = `{"type":"${type}","clusterId":"${clusterId}","effectiveAt":${effectiveAt}`;
  // Ids of clusters need no escapes. A fact with its fields in another order is serialized again.
  if (!text.startsWith(head)) return JSON.stringify(factData(fact));
  const others = text.slice(head.length, -1);
  return `{"clusterId":"${clusterId}"${others},"effectiveAt":"${formatInstant(effectiveAt)}"}`;
}
