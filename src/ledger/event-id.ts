import { hash } from 'node:crypto';

/** Namespace of the event ids: the version 5 UUID of `urn:cluster-ledger` in the URL namespace of RFC 9562. */
const NAMESPACE = Buffer.from('3d26caf7ae0751e888d2b43fde99a4ce', 'hex');

/** Maximum length of a text that is hashed from `preimage`, in UTF-16 code units. Events are shorter. */
const MAX_LENGTH = 256 * 1_024;
/** The namespace, and room for a text with three bytes for each code unit. A new buffer for each id takes twice the time. */
const preimage = Buffer.alloc(NAMESPACE.length + 3 * MAX_LENGTH);
NAMESPACE.copy(preimage);

/**
 * Returns the id of an event: the version 5 UUID (RFC 9562, section 5.5) of its parts. The parts of a fact are its stream, the
 * `source` and `id` of the producer, and its content. The same fact posted twice thus gets the same id, and every store
 * recognizes the repeat. The content is a part because a store compares ids only: without it, if two different facts were
 * posted under one `id` at the same moment, the store would take the second for a repeat of the first.
 */
export function eventId(...parts: readonly (string | number)[]): string {
  const hex = hash('sha1', preimageOf(JSON.stringify(parts)), 'hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0b0011) | 0b1000).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function preimageOf(text: string): Buffer {
  if (text.length > MAX_LENGTH) return Buffer.concat([NAMESPACE, Buffer.from(text)]);
  return preimage.subarray(0, NAMESPACE.length + preimage.write(text, NAMESPACE.length));
}
