import { ALERTS, type AlertData, type AlertKind, type AlertState, alertId } from '../../domain/alert.ts';
import type { Fact } from '../../domain/facts/fact.ts';
import type { Instant } from '../../domain/time.ts';
import type { LogEvent } from '../../eventstore/event-store.ts';

/** Acknowledgement of an alert. An acknowledged alert stays in the list until it is resolved. */
export interface Acknowledgement {
  readonly at: Instant;
  readonly by: string;
  readonly note?: string;
  /** End of the acknowledgement: the alert is open again from then on. Absent if it lasts until the alert is resolved. */
  readonly until?: Instant;
}

export interface Alert {
  readonly id: string;
  readonly kind: AlertKind;
  readonly subject: string;
  readonly clusterId?: string | undefined;
  readonly accountId?: string | undefined;
  readonly raisedAt: Instant;
  /** When the alert last changed. */
  readonly updatedAt: Instant;
  readonly resolvedAt?: Instant;
  readonly acknowledged?: Acknowledgement | undefined;
  /** End of an acknowledgement that has ended. */
  readonly silentUntil?: Instant;
  readonly data: AlertData;
}

const NO_DATA: AlertData = Object.freeze({});

/**
 * An alert of the log that is not resolved. There may be one for each cluster, so the members that follow from others are not
 * kept, and alerts without data share an object.
 */
export class RaisedAlert implements Alert {
  readonly kind: AlertKind;
  readonly subject: string;
  readonly accountId: string | undefined;
  readonly raisedAt: Instant;
  /** When the alert last changed; `undefined` if it has not changed since it was raised. */
  readonly changedAt: Instant | undefined;
  readonly acknowledged: Acknowledgement | undefined;
  readonly data: AlertData;

  constructor({ kind, subject, accountId, raisedAt, changedAt, acknowledged, data }: RaisedMembers) {
    this.kind = kind;
    this.subject = subject;
    this.accountId = accountId;
    this.raisedAt = raisedAt;
    this.changedAt = changedAt === raisedAt ? undefined : changedAt;
    this.acknowledged = acknowledged;
    this.data = Object.keys(data).length === 0 ? NO_DATA : data;
  }

  get id(): string {
    return alertId(this.kind, this.subject);
  }

  get clusterId(): string | undefined {
    if (ALERTS[this.kind].about === 'cluster') return this.subject;
    const { clusterId } = this.data;
    return typeof clusterId === 'string' ? clusterId : undefined;
  }

  get updatedAt(): Instant {
    return this.changedAt ?? this.raisedAt;
  }

  /** Returns all members, also those that are not kept. */
  get members(): Alert {
    const { id, kind, subject, clusterId, accountId, raisedAt, updatedAt, acknowledged, data } = this;
    return {
      ...{ id, kind, subject },
      ...(clusterId !== undefined && { clusterId }),
      ...(accountId !== undefined && { accountId }),
      ...{ raisedAt, updatedAt },
      ...(acknowledged && { acknowledged }),
      data,
    };
  }
}

/** The members from which a raised alert is made. */
export type RaisedMembers = Pick<
  Alert,
  'kind' | 'subject' | 'accountId' | 'raisedAt' | 'acknowledged' | 'data'
> & {
  readonly changedAt?: Instant | undefined;
};

export function alertState({ resolvedAt, acknowledged }: Alert): AlertState {
  if (resolvedAt !== undefined) return 'resolved';
  return acknowledged === undefined ? 'open' : 'acknowledged';
}

/** Compares alerts: the latest raised first. */
export function latestRaisedFirst(a: Alert, b: Alert): number {
  return b.raisedAt - a.raisedAt || (a.id < b.id ? -1 : Number(a.id > b.id));
}

/** The kinds of alerts that are not folded from the log. */
export const LIVE_KINDS = [
  'count-jump',
  'key-expiring',
  'statement-drift',
  'log-tampered',
  'log-behind',
  'clock-untrusted',
  'source-unreadable',
  'running-but-unregistered',
  'delivery-parked',
  'webhook-disabled',
] as const satisfies readonly AlertKind[];

/** An alert that is not folded from the log: about the log itself, this host, deliveries, or what is billed now. */
export interface LiveAlert {
  readonly kind: (typeof LIVE_KINDS)[number];
  readonly subject: string;
  readonly accountId?: string;
  readonly since: Instant;
  readonly data: AlertData;
}

/** State of a cluster that its alerts depend on. */
export interface AlertedState {
  readonly accountId: string | undefined;
  readonly registered: boolean;
  /** Whether any fact of the cluster is active. A cluster without active facts is not an orphan. */
  readonly hasActiveFacts: boolean;
  readonly deleted: boolean;
  readonly unreachable: boolean;
  /** Effective instant of the stop by which the cause `unreachable` holds. */
  readonly stoppedSince: Instant | undefined;
  /** Effective instant of the stop by which the cause `missing` holds. */
  readonly missingSince: Instant | undefined;
  /** Whether the cluster is billed, or would be if the validator had not stopped its billing. */
  readonly mayBeBilled: boolean;
}

/** A fact as it was applied; `isFirst` of its cluster. */
export interface AppliedFact {
  readonly clusterId: string;
  readonly event: LogEvent;
  readonly fact: Fact;
  readonly isFirst: boolean;
}
