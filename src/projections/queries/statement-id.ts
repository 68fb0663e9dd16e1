import { createHash } from 'node:crypto';
import type { Period } from '../../domain/time.ts';

/** The alphabet of base 32 (RFC 4648, section 6), in lower case. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const LENGTH = 26;

/**
 * Returns the id of the statement of an account for a period: `st_` and the first 130 bits of the SHA-256 of account, line feed
 * and period, in base 32. It is the same in every ledger and short enough for the idempotency key of any other system.
 */
export function statementId(accountId: string, period: Period): string {
  const digest = createHash('sha256').update(`${accountId}\n${period}`).digest();
  let bits = BigInt(`0x${digest.subarray(0, 17).toString('hex')}`) >> 6n;
  let text = '';
  for (let i = 0; i < LENGTH; i++) {
    text = ALPHABET[Number(bits & 31n)] + text;
    bits >>= 5n;
  }
  return `st_${text}`;
}
