import type { JsonObject } from '../../eventstore/json.ts';

/** The form of an evidence file; docs/evidence.md describes it for readers. */

/** Names the form, and begins the text that is sealed. */
export const EVIDENCE_FORMAT = 'cluster-ledger evidence v1';

/** An event of the log, and the proof that it stands there. */
export interface Entry {
  /** Number of the leaf: position - 1. */
  readonly index: number;
  /** The leaf itself. Its canonical JSON is what is hashed. */
  readonly leaf: JsonObject;
  /** Hashes of RFC 9162, §2.1.3, one after the other, in base64. */
  readonly proof: string;
}

/** The figure that the file proves. */
export type Figure =
  /** Of a closed period: as `GET /v1/periods/{period}/statements/{accountId}` has it; null where the account has none. */
  | { readonly statement: JsonObject | null }
  /** Of one that is not closed: as `GET /v1/accounts/{accountId}/usage` has it. */
  | { readonly usage: JsonObject };

/** The text that is signed last: so the ledger vouches that the file has all facts there are, and none was left out. */
export function sealText(origin: string, accountId: string, period: string, digest: Uint8Array): string {
  return `${EVIDENCE_FORMAT}\n${origin}\n${accountId}\n${period}\n${Buffer.from(digest).toString('base64')}\n`;
}
