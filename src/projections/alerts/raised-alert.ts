import type { AlertData, AlertKind, AlertState } from '../../domain/alert.ts';
import type { Fact } from '../../domain/facts/fact.ts';
import type { Instant } from '../../domain/time.ts';
import type { LogEvent } from '../../eventstore/event-store.ts';

/** Somebody has seen it: it is silent from then on, and still there. */
export interface Acknowledgement {
  readonly at: Instant;
  readonly by: string;
  readonly note?: string;
}

export interface Alert {
  readonly id: string;
  readonly kind: AlertKind;
  readonly subject: string;
  readonly clusterId?: string;
  readonly accountId?: string;
  readonly raisedAt: Instant;
  /** When anything of it was last found to be otherwise. */
  readonly updatedAt: Instant;
  readonly resolvedAt?: Instant;
  readonly acknowledged?: Acknowledgement;
  readonly data: AlertData;
}

export function alertState({ resolvedAt, acknowledged }: Alert): AlertState {
  if (resolvedAt !== undefined) return 'resolved';
  return acknowledged === undefined ? 'open' : 'acknowledged';
}

/** What holds now and is known from elsewhere than the log: that the log, or a statement, is not what it was. */
export interface LiveAlert {
  readonly kind: 'statement-drift' | 'log-tampered';
  readonly subject: string;
  readonly since: Instant;
  readonly data: AlertData;
}

/** What the facts of a cluster come to. */
export interface ClusterStanding {
  readonly accountId: string | undefined;
  readonly registered: boolean;
  /** Whether any fact of the cluster is active: without one, the cluster is no orphan. */
  readonly hasActiveFacts: boolean;
  readonly deleted: boolean;
  readonly unreachable: boolean;
  /** Effective instant of the stop by which the cause `unreachable` holds. */
  readonly stoppedSince: Instant | undefined;
}

/** A fact as it was applied; `isFirst` of its cluster. */
export interface AppliedFact {
  readonly clusterId: string;
  readonly event: LogEvent;
  readonly fact: Fact;
  readonly isFirst: boolean;
}
