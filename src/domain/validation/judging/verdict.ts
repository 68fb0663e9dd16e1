import type { Instant } from '../../time.ts';

/**
 * `alive`: an API server of Kubernetes answered. `unreachable`: it is not there, or another one is. `unknown`: this try said
 * nothing. `unverifiable`: it could not be tried at all.
 */
export type VerdictState = 'alive' | 'unreachable' | 'unknown' | 'unverifiable';

/** What one probe of a cluster saw. */
export interface Verdict {
  readonly state: VerdictState;
  /**
   * Why, for machines: 'ok', 'degraded', 'forbidden', 'unauthorized', 'refused', 'no-route', 'name-not-found', 'tls-mismatch',
   * 'not-kubernetes', 'identity-mismatch', 'timeout', 'reset', 'dns-failure', 'no-credential', 'credential-refused',
   * 'source-unreadable'.
   */
  readonly code: string;
  /** UID of the namespace kube-system, where it was seen: the identity of the cluster. */
  readonly uid?: string;
  /** For people; never holds a secret. */
  readonly detail?: string;
  /** When the probe ended. */
  readonly at: Instant;
  readonly latencyMs?: number;
}
