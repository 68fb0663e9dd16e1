import type { NewEvent } from '../../eventstore/event-store.ts';

/** An object that JSON can carry. */
export type JsonObject = NewEvent['data'];

/** Name and version of the format of an evidence file, which docs/evidence.md describes. The text of the seal begins with it. */
export const EVIDENCE_FORMAT = 'cluster-ledger evidence v2';

/** Formats of earlier releases. Version 1 has figures by version 1 of the billing rules, without types and a beginning. */
export const FORMER_EVIDENCE_FORMATS = ['cluster-ledger evidence v1'] as const;

/** The figure that the file proves. */
export type Figure =
  /** Of a closed period: as `GET /v1/periods/{period}/statements/{accountId}` returns it; null if the account has none. */
  | { readonly statement: JsonObject | null }
  /** Of one that is not closed: as `GET /v1/accounts/{accountId}/usage` has it. */
  | { readonly usage: JsonObject };

/** The text that is signed last: so the ledger vouches that the file has all facts there are, and none was left out. */
export function sealText(origin: string, accountId: string, period: string, digest: Uint8Array): string {
  return `${EVIDENCE_FORMAT}\n${origin}\n${accountId}\n${period}\n${Buffer.from(digest).toString('base64')}\n`;
}
