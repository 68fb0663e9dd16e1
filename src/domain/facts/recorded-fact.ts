import { formatInstant } from '../time.ts';
import { type Fact, parseFact, recordedType } from './fact.ts';

/** Where a fact came from: the producer's CloudEvents `source` and `id` name it, so that a repeat is known as one. */
export interface Origin {
  readonly source: string;
  readonly id: string;
  /** Who posted it, as the ledger knows them. */
  readonly actor: string;
  /** CloudEvents extension attributes, kept and never looked at. */
  readonly extensions?: Readonly<Record<string, string | number | boolean>>;
}

/** The form in which a fact is stored: an event of a stream of its cluster. */
export interface FactRecord {
  readonly type: string;
  readonly data: { readonly [key: string]: unknown };
  readonly metadata: { readonly [key: string]: unknown };
}

/** Writes a fact down. Optional fields that are absent stay absent. */
export function serializeFact(fact: Fact, origin: Origin) {
  const { type, effectiveAt, ...payload } = fact;
  const { source, id, actor, extensions } = origin;
  return {
    type: recordedType(type),
    data: { ...payload, effectiveAt: formatInstant(effectiveAt) },
    metadata: { source, id, actor, ...(extensions && { extensions }) },
  };
}

/**
 * Reads a fact back.
 * @throws UnreadableFact
 */
export function parseStoredFact(clusterId: string, record: FactRecord): Fact {
  return parseFact(clusterId, record.type, record.data);
}

/** Where a recorded fact came from. */
export function originOf(record: FactRecord): Origin {
  return record.metadata as unknown as Origin;
}
