import type { KnownFact } from '../domain/facts/fact.ts';
import { KnownFacts } from '../domain/facts/known-facts.ts';
import { type Origin, originOf, parseStoredFact } from '../domain/facts/recorded-fact.ts';
import type { RecordedEvent } from '../eventstore/event-store.ts';
import type { Revision } from '../util/log-numbers.ts';

/** A fact in the stream of its cluster. Its `order` is its revision. */
export interface RecordedFact extends KnownFact {
  /** Index in the stream of the cluster, from 0. */
  readonly revision: Revision;
  readonly origin: Origin;
  readonly recordedAt: number;
  /** Length of the JSON of its event, if it is known. */
  readonly textLength?: number | undefined;
}

/** Number of facts from which on repeats are found by an index. Most clusters have fewer, and the index takes memory. */
const INDEX_FROM = 32;

/** Memory that a fact takes apart from its strings, in bytes: objects, numbers and its place in lists. */
const BYTES_PER_FACT = 400;

/** All facts of one cluster in the order of their revisions. Adding one and finding a repeat cost the same however many there are. */
export class ClusterHistory {
  readonly known: KnownFacts<RecordedFact>;
  /** By source and id of the producer's event. Absent while the facts are few. */
  #byOrigin: Map<string, Map<string, RecordedFact>> | undefined;
  #bytes = 0;

  /** @param facts in the order of their revisions. */
  constructor(facts: Iterable<RecordedFact> = []) {
    this.known = new KnownFacts(facts);
    for (const fact of this.facts) this.#bytes += bytesOf(fact);
  }

  /** Approximate size in memory, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get facts(): readonly RecordedFact[] {
    return this.known.all;
  }

  /** Adds the next fact of the stream. */
  add(fact: RecordedFact): void {
    this.known.add(fact);
    this.#bytes += bytesOf(fact);
    if (this.#byOrigin !== undefined) index(this.#byOrigin, fact);
  }

  /** Removes the last fact again. */
  removeLast(): void {
    const last = this.facts.at(-1);
    this.known.removeLast();
    if (last === undefined) return;
    this.#bytes -= bytesOf(last);
    if (this.#byOrigin === undefined) return;
    const own = this.#byOrigin.get(last.origin.source);
    if (own?.get(last.origin.id) === last) own.delete(last.origin.id);
  }

  /** Returns the first fact of a producer's event; `undefined` if the event is not recorded. */
  findByOrigin({ source, id }: Origin): RecordedFact | undefined {
    const { facts } = this;
    if (facts.length < INDEX_FROM) {
      for (const fact of facts) if (fact.origin.id === id && fact.origin.source === source) return fact;
      return undefined;
    }
    if (this.#byOrigin === undefined) {
      this.#byOrigin = new Map();
      for (const fact of this.facts) index(this.#byOrigin, fact);
    }
    return this.#byOrigin.get(source)?.get(id);
  }
}

function index(byOrigin: Map<string, Map<string, RecordedFact>>, fact: RecordedFact): void {
  const { source, id } = fact.origin;
  let own = byOrigin.get(source);
  if (own === undefined) {
    own = new Map();
    byOrigin.set(source, own);
  }
  if (!own.has(id)) own.set(id, fact);
}

function bytesOf({ textLength, fact, origin }: RecordedFact): number {
  return BYTES_PER_FACT + (textLength ?? stringBytes(fact) + stringBytes(origin));
}

/** Returns the length of all strings in a value, names of fields not included: these are shared. */
function stringBytes(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, each) => sum + stringBytes(each), 0);
}

/** Reads a fact from the stream of its cluster. @throws UnreadableFact */
export function recordedFactOf(clusterId: string, event: RecordedEvent): RecordedFact {
  const { id: eventId, revision, recordedAt, json } = event;
  const fact = parseStoredFact(clusterId, event);
  const textLength = json === undefined ? undefined : json.data.length + json.metadata.length;
  return { eventId, order: revision, revision, fact, origin: originOf(event), recordedAt, textLength };
}
