import type { FactRecord } from './recorded-fact.ts';

const BEGIN_OF_SOURCE = '{"source":"';
const BEGIN_OF_ID = ',"id":"';

/** A stored fact, with the text of its metadata if that is known. */
type Stored = Pick<FactRecord, 'metadata'> & { readonly json?: { readonly metadata: string } };

/** Returns the hash of the producer's `source` and `id`, an unsigned number of 32 bits (FNV-1a). Different ones can have equal hashes. */
export function originHash(source: string, id: string): number {
  return add(add(BASIS, source, 0, source.length), id, 0, id.length) >>> 0;
}

/** Returns the `originHash` of a stored fact. Metadata as the ledger writes them are not parsed. */
export function originHashOf(stored: Stored): number {
  const text = stored.json?.metadata;
  if (text?.startsWith(BEGIN_OF_SOURCE) && !text.includes('\\')) {
    const from = BEGIN_OF_SOURCE.length;
    const to = text.indexOf('"', from);
    const fromId = to + 1 + BEGIN_OF_ID.length;
    if (text.startsWith(BEGIN_OF_ID, to + 1))
      return add(add(BASIS, text, from, to), text, fromId, text.indexOf('"', fromId)) >>> 0;
  }
  const { source, id } = stored.metadata;
  return originHash(String(source), String(id));
}

const BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** Adds a part of a text, and its end, to a hash. */
function add(hash: number, text: string, from: number, to: number): number {
  let sum = hash;
  for (let i = from; i < to; i++) sum = Math.imul(sum ^ text.charCodeAt(i), PRIME);
  return Math.imul(sum ^ 0xffff, PRIME);
}
