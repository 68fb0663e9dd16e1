import type { Instant } from '../time.ts';

/** The roles of callers. docs/access.md says what each may do. */
export const ROLES = ['producer', 'billing', 'auditor', 'operator', 'customer'] as const;
export type Role = (typeof ROLES)[number];

/** Who sends a request. */
export interface Caller {
  /** Recorded with everything that the caller writes: the id of a key, issuer and subject of a token, or a local name. */
  readonly actor: string;
  readonly role: Role;
  /** The account that a customer is bound to. */
  readonly accountId?: string;
  /** Id of the API key, if the caller presented one. */
  readonly keyId?: string;
  /** When the credential expires. */
  readonly expiresAt?: Instant;
  /** Name for people: of the key, or of the person who signed in. */
  readonly name?: string;
  /** Id of the session, if the caller signed in with a browser. */
  readonly sessionId?: string;
}

/** Rights of a caller beyond posting ordinary facts. */
export interface Permissions {
  /** Whether the caller may post facts of long ago. */
  readonly mayBackdate: boolean;
  /** Whether the caller may transfer a cluster to another account. */
  readonly mayTransfer: boolean;
  /** Whether the caller may stop and resume billing, and void facts. */
  readonly mayCorrect: boolean;
}

export function permissionsOf({ role }: Pick<Caller, 'role'>): Permissions {
  const isOperator = role === 'operator';
  return { mayBackdate: isOperator, mayTransfer: isOperator, mayCorrect: isOperator };
}

/** The caller of every request while the ledger has no keys. It then serves only loopback addresses. */
export const LOCAL_OPERATOR: Caller = { actor: 'loopback', role: 'operator' };
