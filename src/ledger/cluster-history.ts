import type { ClusterOutline } from '../domain/facts/cluster-outline.ts';
import type { KnownFact } from '../domain/facts/fact.ts';
import { type FactLookup, KnownFacts } from '../domain/facts/known-facts.ts';
import { originHash } from '../domain/facts/origin-hash.ts';
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
/** Memory that a fact of an outline takes: its place in the map from hashes to revisions. */
const BYTES_PER_OUTLINED_FACT = 80;

/**
 * All facts of one cluster in the order of their revisions. Adding one and finding a repeat cost the same however many there are.
 * The first facts may be known by their outline only. Before a repeat of one of them is looked for, it must be read: see `unread`.
 */
export class ClusterHistory {
  readonly #known: KnownFacts<RecordedFact>;
  readonly #outline: ClusterOutline | undefined;
  /** Revisions of the facts of the outline that were read. */
  #read: Set<Revision> | undefined;
  /** By source and id of the producer's event. Absent while the facts are few. */
  #byOrigin: Map<string, Map<string, RecordedFact>> | undefined;
  #bytes = 0;

  /** @param facts in the order of their revisions. @param outline of the facts before them. */
  constructor(facts: Iterable<RecordedFact> = [], outline?: ClusterOutline) {
    this.#outline = outline;
    this.#known = new KnownFacts([], outline);
    if (outline !== undefined) {
      this.#byOrigin = new Map();
      this.#bytes = BYTES_PER_OUTLINED_FACT * outline.count;
    }
    for (const fact of facts) this.add(fact);
  }

  /** The facts, as `decide` asks about them. */
  get known(): FactLookup {
    return this.#known;
  }

  /** Number of facts, which is the revision of the next one. */
  get length(): number {
    return (this.#outline?.count ?? 0) + this.facts.length;
  }

  /** Approximate size in memory, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The facts that have no outline. */
  get facts(): readonly RecordedFact[] {
    return this.#known.all;
  }

  /** Adds the next fact of the stream. */
  add(fact: RecordedFact): void {
    this.#known.add(fact);
    this.#bytes += bytesOf(fact);
    if (this.#byOrigin !== undefined) index(this.#byOrigin, fact);
  }

  /** Removes the last fact that was added. */
  removeLast(): void {
    const last = this.#known.removeLast();
    if (last === undefined) return;
    this.#bytes -= bytesOf(last);
    if (this.#byOrigin === undefined) return;
    const own = this.#byOrigin.get(last.origin.source);
    if (own?.get(last.origin.id) === last) own.delete(last.origin.id);
  }

  /** Returns the revisions of facts that may be those of producers' events, and of which only the outline is known. */
  unread(origins: readonly Origin[]): Revision[] {
    const outline = this.#outline;
    if (outline === undefined) return [];
    const revisions = origins.flatMap(({ source, id }) => outline.revisionsOf(originHash(source, id)));
    return [...new Set(revisions)]
      .filter((revision) => this.#read?.has(revision) !== true)
      .sort((a, b) => a - b);
  }

  /** Adds what was read of a fact of the outline. */
  addRead(fact: RecordedFact): void {
    this.#read ??= new Set();
    this.#read.add(fact.revision);
    this.#bytes += bytesOf(fact);
    if (this.#byOrigin !== undefined) index(this.#byOrigin, fact);
  }

  /** Returns the first fact of a producer's event; `undefined` if the event is not recorded. */
  findByOrigin({ source, id }: Origin): RecordedFact | undefined {
    const { facts } = this;
    if (this.#byOrigin === undefined && facts.length < INDEX_FROM) {
      for (const fact of facts) if (fact.origin.id === id && fact.origin.source === source) return fact;
      return undefined;
    }
    if (this.#byOrigin === undefined) {
      this.#byOrigin = new Map();
      for (const fact of facts) index(this.#byOrigin, fact);
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
