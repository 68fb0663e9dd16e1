import { v5 } from 'uuid';

/** The namespace of our UUIDs (RFC 9562, version 5): itself the UUID of `urn:cluster-ledger` in the URL namespace. */
const NAMESPACE = v5('urn:cluster-ledger', v5.URL);

/**
 * The id of an event: always the same for the same parts, in their order. For a fact: its stream, the producer's `source`
 * and `id`, and what it says. So whoever posts a fact again posts the same event, which every store knows as a repeat;
 * and two who post different things under one `id` at the same moment conflict, where otherwise a store that compares
 * ids alone would take the second for a repeat of the first.
 */
export function eventId(...parts: readonly (string | number)[]): string {
  return v5(JSON.stringify(parts), NAMESPACE);
}
