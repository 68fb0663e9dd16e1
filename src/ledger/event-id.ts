import { v5 } from 'uuid';

/** The namespace of our UUIDs (RFC 9562, version 5): itself the UUID of `urn:cluster-ledger` in the URL namespace. */
const NAMESPACE = v5('urn:cluster-ledger', v5.URL);

/**
 * The id of an event: always the same for the same parts. For a fact: its stream, then the producer's `source` and `id`, so
 * that whoever posts a fact again, however much later, posts the same event.
 */
export function eventId(...parts: readonly (string | number)[]): string {
  return v5(JSON.stringify(parts), NAMESPACE);
}
