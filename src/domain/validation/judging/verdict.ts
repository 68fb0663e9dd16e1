import type { Instant } from '../../time.ts';

/**
 * The codes of each state. docs/validator.md explains each of them.
 *
 * - `alive`: the server that the credential is for answered.
 * - `unreachable`: that server is not there, or it is that of another cluster.
 * - `unknown`: the probe was inconclusive.
 * - `unverifiable`: no probe was possible.
 */
export const VERDICT_CODES = {
  alive: [
    'ok',
    'degraded',
    'forbidden',
    'unauthorized',
    'not-logged-in',
    'throttled',
    'front',
    'certificate-expired',
    'certificate-not-yet-valid',
  ],
  unreachable: [
    'refused',
    'no-route',
    'name-not-found',
    'tls-mismatch',
    'not-kubernetes',
    'identity-mismatch',
  ],
  unknown: ['timeout', 'reset', 'dns-failure', 'tls-handshake', 'bad-answer', 'front'],
  unverifiable: [
    'no-credential',
    'credential-refused',
    'address-refused',
    'internal-name',
    'source-unreadable',
    'network-down',
    'prober-failed',
  ],
} as const;

export type VerdictState = keyof typeof VERDICT_CODES;
export type VerdictCode = (typeof VERDICT_CODES)[VerdictState][number];

/** Result of one probe of a cluster. */
export interface Verdict {
  readonly state: VerdictState;
  /** Reason, for machines: one of `VERDICT_CODES`. A record of another release may have another one. */
  readonly code: string;
  /** UID of the namespace kube-system, if it was read: the identity of the cluster. */
  readonly uid?: string;
  /** Explanation for people; never contains a secret. */
  readonly detail?: string;
  /** When the probe ended. */
  readonly at: Instant;
  readonly latencyMs?: number;
}

type Judged = Pick<Verdict, 'state' | 'code'>;

/**
 * Returns whether a verdict says nothing about the cluster: something on the way to it, or on the side of the
 * ledger, kept the ledger from asking. Such a verdict neither extends nor interrupts a streak.
 */
export function saysNothing({ state, code }: Judged): boolean {
  return state === 'unverifiable' || (state === 'unknown' && code === 'front');
}

/**
 * Codes of bad verdicts that a running cluster gives too: its certificate authority was renewed, or it wants another
 * way to log in. Such a verdict alone does not prove that the cluster is gone.
 */
const AMBIGUOUS: ReadonlySet<string> = new Set<VerdictCode>(['tls-mismatch', 'tls-handshake']);

/** Returns whether a bad verdict leaves open whether the cluster is gone. */
export function isAmbiguous({ code }: Pick<Verdict, 'code'>): boolean {
  return AMBIGUOUS.has(code);
}

/**
 * Returns whether the cluster itself answered. A front that refuses the ledger shows that its address is still served: that
 * keeps a bill from ending, and does not begin or resume one.
 */
export function hasAnswered({ state, code }: Judged): boolean {
  return state === 'alive' && code !== 'front';
}

/** Returns whether a verdict is a step toward the conclusion that the cluster is gone. */
export function isBad(verdict: Judged): boolean {
  return verdict.state !== 'alive' && !saysNothing(verdict);
}
