import type { Instant } from '../../time.ts';

/**
 * `alive`: a Kubernetes API server answered. `unreachable`: no API server is there, or that of another cluster.
 * `unknown`: the probe was inconclusive. `unverifiable`: no probe was possible.
 */
export type VerdictState = 'alive' | 'unreachable' | 'unknown' | 'unverifiable';

/** Result of one probe of a cluster. */
export interface Verdict {
  readonly state: VerdictState;
  /**
   * Reason, for machines: 'ok', 'degraded', 'forbidden', 'unauthorized', 'refused', 'no-route', 'name-not-found',
   * 'tls-mismatch', 'not-kubernetes', 'identity-mismatch', 'timeout', 'reset', 'dns-failure', 'no-credential',
   * 'credential-refused', 'source-unreadable'.
   */
  readonly code: string;
  /** UID of the namespace kube-system, if it was read: the identity of the cluster. */
  readonly uid?: string;
  /** Explanation for people; never contains a secret. */
  readonly detail?: string;
  /** When the probe ended. */
  readonly at: Instant;
  readonly latencyMs?: number;
}
