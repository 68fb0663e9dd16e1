import { hash } from 'node:crypto';

/** The alphabet of base 32 (RFC 4648, section 6), in lower case. */
const DIGITS = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * Returns the id of the statement of an account for a period: `st_` and the first 26 base 32 digits of the SHA-256 of account,
 * line feed and period.
 */
export function statementIdOf(accountId: string, period: string): string {
  const bytes = hash('sha256', `${accountId}\n${period}`, 'buffer');
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = Array.from({ length: 26 }, (_, i) => bits.slice(i * 5, i * 5 + 5));
  return `st_${groups.map((group) => DIGITS[Number.parseInt(group, 2)]).join('')}`;
}
