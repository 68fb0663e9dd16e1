import { hash } from 'node:crypto';

/** The namespace of our UUIDs: the version 5 UUID of `urn:cluster-ledger` in the URL namespace of RFC 9562. */
const NAMESPACE = Buffer.from('3d26caf7ae0751e888d2b43fde99a4ce', 'hex');

/**
 * The id of an event: the version 5 UUID (RFC 9562, section 5.5) of its parts, always the same for the same ones in their
 * order. For a fact: its stream, the producer's `source` and `id`, and what it says. So whoever posts a fact again posts
 * the same event, which every store knows as a repeat; and two who post different things under one `id` at the same
 * moment conflict, where otherwise a store that compares ids alone would take the second for a repeat of the first.
 */
export function eventId(...parts: readonly (string | number)[]): string {
  const hex = hash('sha1', Buffer.concat([NAMESPACE, Buffer.from(JSON.stringify(parts))]), 'hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0b0011) | 0b1000).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
