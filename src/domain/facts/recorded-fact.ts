import { formatInstant } from '../time.ts';
import { type Fact, parseFact, recordedType } from './fact.ts';

/** Origin of a fact. The producer's CloudEvents `source` and `id` identify the event, so that a repeat is recognized. */
export interface Origin {
  readonly source: string;
  readonly id: string;
  /** Name of the caller that posted the fact. */
  readonly actor: string;
  /** CloudEvents extension attributes. The ledger stores and returns them, and never interprets them. */
  readonly extensions?: Readonly<Record<string, string | number | boolean>>;
}

/** A fact as it is stored: an event in the stream of its cluster. */
export interface FactRecord {
  readonly type: string;
  readonly data: { readonly [key: string]: unknown };
  readonly metadata: { readonly [key: string]: unknown };
}

/** Converts a fact to the event that is stored. Absent optional fields stay absent. */
export function serializeFact(fact: Fact, origin: Origin) {
  const { type, effectiveAt, ...payload } = fact;
  const { source, id, actor, extensions } = origin;
  return {
    type: recordedType(type),
    data: { ...payload, effectiveAt: formatInstant(effectiveAt) },
    metadata: { source, id, actor, ...(extensions && { extensions }) },
  };
}

/** Parses a stored fact. @throws UnreadableFact */
export function parseStoredFact(clusterId: string, record: FactRecord): Fact {
  return parseFact(clusterId, record.type, record.data);
}

/** Returns the origin of a stored fact. */
export function originOf(record: FactRecord): Origin {
  return record.metadata as unknown as Origin;
}
