import type { LimitUse } from '../../domain/account-profile.ts';
import {
  ALERTS,
  type AlertData,
  type AlertKind,
  alertId,
  alertKey,
  ORPHAN_AFTER_MIN,
  STALE_AFTER_INTERVALS,
} from '../../domain/alert.ts';
import { STUCK_AFTER_HOURS } from '../../domain/cluster-deletion.ts';
import type { Fact } from '../../domain/facts/fact.ts';
import {
  ALERT_ACKNOWLEDGED,
  ALERT_RESOLVED,
  ALERTS_STREAM,
  EVENT_ID_SHARED,
  NOTICES_STREAM,
  REJECTED_STREAM,
  runOfStream,
  WARNINGS_STREAM,
} from '../../domain/stream-table.ts';
import {
  formatInstant,
  HOUR_MS,
  type Instant,
  MINUTE_MS,
  type Period,
  readInstant,
} from '../../domain/time.ts';
import type { RunEnd } from '../../domain/validation/records/run-fold.ts';
import type { LogEvent } from '../../eventstore/event-store.ts';
import { BoundedMap } from '../../util/bounded-map.ts';
import type { Position } from '../../util/log-numbers.ts';
import { AlertMap } from './alert-map.ts';
import {
  type Acknowledgement,
  type Alert,
  type AlertedState,
  type AppliedFact,
  LIVE_KINDS,
  type LiveAlert,
  latestRaisedFirst,
  RaisedAlert,
  type RaisedMembers,
} from './raised-alert.ts';
import { RejectedEventAlerts } from './rejected-event-alerts.ts';

interface LateChange {
  readonly accountId: string;
  readonly position: Position;
  readonly at: Instant;
  /** The first period that changed. */
  readonly period: Period;
  readonly eventId: string;
  /** Whether a statement will have the change: nothing before the beginning is on any. */
  readonly isAdjusted: boolean;
  /** Whether usage from before the beginning changed too. */
  readonly isLeftOut: boolean;
  /** The period whose statement will have the change. */
  readonly statement: Period;
}

/** Maximum number of resolved alerts that are kept. */
const MAX_RESOLVED = 1_000;
/** Maximum number of rejected events with an alert of their own. The alerts of older ones are merged into one. */
export const MAX_REJECTED_ALERTS = 10_000;
const MAX_LIVE_ACKNOWLEDGED = 1_000;

/**
 * Alerts, folded from the log: raised once, updated while they last, and resolved by the same rules. An alert that is raised
 * after a delay is stored immediately, with the instant at which it becomes visible.
 */
export class AlertBook {
  readonly #open = new AlertMap<RaisedAlert>();
  readonly #resolved = new BoundedMap<string, Alert>(MAX_RESOLVED);
  readonly #rejected = new RejectedEventAlerts();
  /** Subjects of the alerts about reached limits, by account, so that a fact of one account does not look at the alerts of all. */
  readonly #reachedLimits = new Map<string, ReadonlySet<string>>();
  readonly #liveAcknowledged = new BoundedMap<string, Acknowledgement>(MAX_LIVE_ACKNOWLEDGED);

  /** Applies a fact of a cluster. @param stateOf returns the state with the fact; called only if the fact can matter. */
  applyFact({ clusterId, event, fact, isFirst }: AppliedFact, stateOf: () => AlertedState): void {
    const { recordedAt } = event;
    // Reading the metadata parses JSON, which a replay of millions of facts avoids.
    if (this.#rejected.count > 0) this.#resolveRejected(event);
    if (this.#matters(clusterId, fact, isFirst)) this.#assess(clusterId, fact, stateOf(), recordedAt);
  }

  /** Resolves the alert about a rejected event that is now recorded. */
  #resolveRejected({ metadata, recordedAt }: LogEvent): void {
    for (const subject of this.#rejected.alertsOf(metadata['source'], metadata['id']))
      this.#resolve({ kind: 'event-rejected', subject }, recordedAt);
  }

  /** Returns whether a fact can raise or resolve an alert. Most cannot, and a replay applies millions of facts. */
  #matters(clusterId: string, fact: Fact, isFirst: boolean): boolean {
    switch (fact.type) {
      case 'ClusterRegistered':
        return !isFirst;
      case 'FactVoided':
      case 'ClusterUnreachable':
      case 'ClusterReachable':
        return true;
      case 'BillingStopped':
      case 'BillingResumed':
        return isFirst || fact.cause !== 'deleted';
      case 'ClusterDeletionConfirmed':
      case 'ClusterDeletionCancelled':
        return true;
      default:
        return isFirst || this.#concerns(clusterId);
    }
  }

  #concerns(subject: string): boolean {
    return KINDS_OF_FACTS.some((kind) => this.#open.has({ kind, subject }));
  }

  #assess(clusterId: string, fact: Fact, state: AlertedState, at: Instant): void {
    const { registered, hasActiveFacts, deleted, unreachable, accountId } = state;
    const about = { subject: clusterId, accountId };
    if (registered || !hasActiveFacts) this.#resolve({ kind: 'orphan-facts', ...about }, at);
    else this.#raiseOnce({ kind: 'orphan-facts', ...about, data: {} }, at, at + ORPHAN_AFTER_MIN * MINUTE_MS);

    this.#assessDeletion(about, fact, deleted, at);
    const counts = registered && !deleted && state.mayBeBilled;
    const stops = [
      ['billing-stopped-unreachable', state.stoppedSince],
      ['billing-stopped-missing', state.missingSince],
    ] as const;
    let isStopped = false;
    for (const [kind, since] of stops) {
      if (!counts || since === undefined) this.#resolve({ kind, ...about }, at);
      else {
        isStopped = true;
        const { since: _, ...known } = this.#open.get({ kind, ...about })?.data ?? {};
        const evidence = fact.type === 'BillingStopped' ? observationData(fact) : known;
        this.#raise({ kind, ...about, data: { ...evidence, since: formatInstant(since) } }, at);
      }
    }
    const silence = { kind: 'cluster-unreachable', ...about } as const;
    const known = this.#open.get(silence)?.data ?? {};
    const data = fact.type === 'ClusterUnreachable' ? observationData(fact) : known;
    // The alert about the stop says more, and that the cluster is still billed would contradict it.
    if (counts && unreachable && !isStopped) this.#raise({ ...silence, data }, at);
    else this.#resolve(silence, at);
  }

  /** Raises `deletion-stuck` some time after a confirmation, unless the deletion ends before. */
  #assessDeletion(
    about: Pick<Raised, 'subject' | 'accountId'>,
    fact: Fact,
    isDeleted: boolean,
    at: Instant,
  ): void {
    if (isDeleted || fact.type === 'ClusterDeletionCancelled')
      this.#resolve({ kind: 'deletion-stuck', ...about }, at);
    else if (fact.type === 'ClusterDeletionConfirmed') {
      const data = {
        confirmedAt: formatInstant(at),
        ...(fact.deletionId !== undefined && { deletionId: fact.deletionId }),
      };
      this.#raiseOnce({ kind: 'deletion-stuck', ...about, data }, at, at + STUCK_AFTER_HOURS * HOUR_MS);
    }
  }

  /** Applies an event that is not a fact of a cluster. @param ended runs of the validator that ended with it. */
  applyOther(event: LogEvent, ended: readonly RunEnd[]): void {
    const { stream, type, recordedAt } = event;
    if (stream === REJECTED_STREAM) this.#raiseRejected(event);
    if (type === EVENT_ID_SHARED && stream === WARNINGS_STREAM) this.#sharedId(event);
    if (type === ALERT_ACKNOWLEDGED && stream === ALERTS_STREAM) this.#acknowledge(event);
    if (type === ALERT_RESOLVED && stream === NOTICES_STREAM) this.#endLive(event);
    if (type === 'ValidationStarted' && runOfStream(stream) !== undefined) this.#scheduled(event);
    for (const end of ended) if (end.outcome === 'completed') this.#validated(end, recordedAt);
  }

  /** Raises or updates `late-facts`: a fact changed the usage of an account in a closed period. */
  late({ accountId, position, at, period, eventId, isAdjusted, isLeftOut, statement }: LateChange): void {
    const known = this.#open.get({ kind: 'late-facts', subject: accountId })?.data;
    const facts = Number(known?.['facts'] ?? 0) + 1;
    const adjusted = Number(known?.['adjusted'] ?? 0) + Number(isAdjusted);
    const leftOut = Number(known?.['leftOut'] ?? 0) + Number(isLeftOut);
    const first = known === undefined || period < String(known['period']) ? period : String(known['period']);
    const data = { facts, adjusted, leftOut, period: first, statement, eventId, position };
    this.#raise({ kind: 'late-facts', subject: accountId, accountId, data }, at);
  }

  /** A cluster id differs from a known one only in case. */
  differsByCase(clusterId: string, other: string, at: Instant): void {
    this.#raise({ kind: 'id-differs-by-case', subject: clusterId, data: { other } }, at);
  }

  /** Compares the clusters of an account with the limits of its plan. */
  limits(accountId: string, uses: readonly LimitUse[], at: Instant): void {
    const reached = uses.filter(({ left }) => left === 0);
    for (const { clusterType, limit, billed } of reached) {
      const data = { clusterType, limit, billed };
      this.#raise({ kind: 'limit-reached', subject: `${accountId}/${clusterType}`, accountId, data }, at);
    }
    const subjects = new Set(reached.map(({ clusterType }) => `${accountId}/${clusterType}`));
    for (const subject of this.#reachedLimits.get(accountId) ?? [])
      if (!subjects.has(subject)) this.#resolve({ kind: 'limit-reached', subject }, at);
    if (subjects.size > 0) this.#reachedLimits.set(accountId, subjects);
    else this.#reachedLimits.delete(accountId);
  }

  /** Resolves `late-facts` up to the watermark of a closing: its statements include these facts. */
  closed(watermark: Position, at: Instant): void {
    for (const alert of [...this.#open.ofKind('late-facts')])
      if (Number(alert.data['position']) <= watermark) this.#resolve(alert, at);
  }

  #sharedId({ data, recordedAt }: LogEvent): void {
    const { source, id, clusterId, otherClusterId } = data as Readonly<Record<string, string>>;
    if (source === undefined || id === undefined || clusterId === undefined) return;
    const subject = `${source} ${id}`;
    const about = { source, id, clusterId, otherClusterId: String(otherClusterId) };
    this.#raise({ kind: 'event-id-on-two-clusters', subject, data: about }, recordedAt);
  }

  #raiseRejected({ id: eventId, data, metadata, recordedAt }: LogEvent): void {
    const { source, id, clusterId, rejection } = data as Readonly<Record<string, unknown>>;
    const code = String((rejection as { code?: unknown } | null)?.code);
    const { actor } = metadata;
    const by = typeof actor === 'string' ? { actor } : {};
    const about = { source: String(source), id: String(id), clusterId: String(clusterId), code, ...by };
    this.#raise({ kind: 'event-rejected', subject: eventId, data: about }, recordedAt);
    this.#rejected.add(about, eventId);
    if (this.#rejected.count > MAX_REJECTED_ALERTS) this.#mergeOldest(recordedAt);
  }

  /** Merges the oldest alerts about rejected events into one, so that a producer that repeats itself does not fill the memory. */
  #mergeOldest(at: Instant): void {
    const subjects = this.#rejected.oldest;
    for (const subject of subjects) {
      const alert = { kind: 'event-rejected', subject } as const;
      this.#rejected.forget(this.#open.get(alert)?.data ?? {}, subject);
      this.#open.delete(alert);
    }
    const shared = { kind: 'event-rejected', subject: 'earlier' } as const;
    const count = Number(this.#open.get(shared)?.data['count'] ?? 0) + subjects.length;
    this.#raise({ ...shared, data: { count } }, at);
  }

  #acknowledge({ data, recordedAt: at }: LogEvent): void {
    const id = String(data['alertId']);
    const note = typeof data['note'] === 'string' ? { note: data['note'] } : {};
    const until = typeof data['until'] === 'string' ? { until: readInstant(data['until']) } : {};
    const acknowledged = { at, by: String(data['by']), ...note, ...until };
    const alert = this.#open.find(id);
    if (alert === undefined) {
      this.#liveAcknowledged.set(id, acknowledged);
      return;
    }
    if (alert.raisedAt > at) return;
    this.#open.set(alert, new RaisedAlert({ ...alert, acknowledged }));
    if (ALERTS[alert.kind].endsWhenAcknowledged && acknowledged.until === undefined) this.#resolve(alert, at);
  }

  /** Expects the next run, because a scheduled one was claimed. */
  #scheduled({ data, recordedAt }: LogEvent): void {
    const { shard, everyMs } = data;
    if (typeof shard !== 'string' || typeof everyMs !== 'number' || everyMs <= 0) return;
    const alert = { kind: 'validator-stale', subject: shard, data: { everyMs } } as const;
    this.#raiseOnce(alert, recordedAt, recordedAt + STALE_AFTER_INTERVALS * everyMs);
  }

  #validated({ run, began, changed, ended }: Extract<RunEnd, { outcome: 'completed' }>, at: Instant): void {
    const { shard } = run.start;
    for (const alert of [...this.#open.ofKind('validator-stale')]) {
      const { kind, subject, data } = alert;
      // If the number of shards has changed, no run of the former shards is expected.
      if (subject.split('of')[1] !== shard.split('of')[1]) this.#resolve(alert, at);
      if (subject !== shard) continue;
      this.#resolve(alert, at);
      const everyMs = run.start.everyMs ?? Number(data['everyMs']);
      this.#raiseOnce({ kind, subject, data: { everyMs } }, at, at + STALE_AFTER_INTERVALS * everyMs);
    }
    for (const id of ended) this.#resolve(alertKey(id), at);
    for (const condition of began) this.#raise(condition, at);
    // An alert that was resolved by an acknowledgement is not raised again while its condition lasts.
    for (const condition of changed) if (this.#open.has(condition)) this.#raise(condition, at);
  }

  /** Raises an alert, or updates it if it is open. */
  #raise({ kind, subject, accountId, data }: Raised, at: Instant): void {
    const known = this.#open.get({ kind, subject });
    const isSame = known !== undefined && JSON.stringify(known.data) === JSON.stringify(data);
    if (isSame && known.accountId === accountId) return;
    const { raisedAt = at, acknowledged } = known ?? {};
    const members = { kind, subject, accountId, raisedAt, changedAt: at, acknowledged, data };
    this.#open.set(members, new RaisedAlert(members));
  }

  /** Raises an alert at `raisedAt`, unless it is open or already scheduled. */
  #raiseOnce(alert: Raised, at: Instant, raisedAt: Instant): void {
    if (this.#open.has(alert)) return;
    this.#open.set(alert, new RaisedAlert({ ...alert, raisedAt, changedAt: Math.max(at, raisedAt) }));
  }

  /** Keeps an alert that is not folded from the log, once its end is announced in the log. */
  #endLive({ data, recordedAt: at }: LogEvent): void {
    const { alertId: id, subject, accountId, data: values } = data as Readonly<Record<string, unknown>>;
    const kind = LIVE_KINDS.find((each) => each === data['kind']);
    const raisedAt = readInstant(String(data['raisedAt']));
    // Releases before this one announced no values.
    if (kind === undefined || typeof values !== 'object' || values === null || Number.isNaN(raisedAt)) return;
    if (this.#open.find(String(id)) !== undefined) return;
    if (this.#resolved.get(String(id))?.raisedAt === raisedAt) return;
    const acknowledged = this.#liveAcknowledged.get(String(id));
    this.#resolved.setNewest(String(id), {
      id: String(id),
      kind,
      subject: String(subject),
      ...(typeof accountId === 'string' && { accountId }),
      raisedAt,
      updatedAt: at,
      ...(acknowledged !== undefined && acknowledged.at >= raisedAt && { acknowledged }),
      resolvedAt: at,
      data: values as AlertData,
    });
  }

  #resolve(key: { readonly kind: string; readonly subject: string }, at: Instant): void {
    const alert = this.#open.get(key);
    if (alert === undefined) return;
    this.#open.delete(key);
    if (alert.kind === 'event-rejected') this.#rejected.forget(alert.data, alert.subject);
    // The alert never became visible.
    if (alert.raisedAt > at) return;
    this.#resolved.setNewest(alert.id, { ...alert.members, updatedAt: at, resolvedAt: at });
  }

  /**
   * Yields the alerts that are not resolved at an instant, in no particular order. An alert of the log is the same object for as
   * long as nothing of it changes.
   */
  *unresolved(now: Instant, live: readonly LiveAlert[]): Generator<Alert> {
    for (const ofKind of this.#open.kinds)
      for (const alert of ofKind.values()) if (alert.raisedAt <= now) yield asOf(alert, now);
    for (const each of live) yield asOf(this.#fromLive(each), now);
  }

  /** Returns all alerts at an instant, the latest raised first. */
  all(now: Instant, live: readonly LiveAlert[]): Alert[] {
    return [...this.unresolved(now, live), ...this.#resolved.values()].sort(latestRaisedFirst);
  }

  /** Returns the alert with an id: the open one, otherwise the last resolved one. */
  find(id: string, now: Instant, live: readonly LiveAlert[]): Alert | undefined {
    const open = this.#open.find(id);
    if (open !== undefined && open.raisedAt <= now) return asOf(open, now);
    const known = live.find(({ kind, subject }) => alertId(kind, subject) === id);
    return known === undefined ? this.#resolved.get(id) : asOf(this.#fromLive(known), now);
  }

  #fromLive({ kind, subject, accountId, since, data }: LiveAlert): Alert {
    const id = alertId(kind, subject);
    const known = this.#liveAcknowledged.get(id);
    // Who acknowledged an alert that ended has not seen the next one of the same kind and subject.
    const acknowledged = known !== undefined && known.at >= since ? known : undefined;
    return {
      id,
      kind,
      subject,
      ...(accountId !== undefined && { accountId }),
      raisedAt: since,
      updatedAt: since,
      ...(acknowledged && { acknowledged }),
      data,
    };
  }

  /** The whole state, for a snapshot. */
  get parts() {
    return {
      open: this.#open.values,
      resolved: [...this.#resolved.values()],
      liveAcknowledged: [...this.#liveAcknowledged],
    };
  }

  static restore({ open, resolved, liveAcknowledged }: AlertBook['parts']): AlertBook {
    const book = new AlertBook();
    for (const alert of open) book.#open.set(alert, new RaisedAlert(alert));
    for (const alert of resolved) book.#resolved.set(alert.id, alert);
    for (const [id, acknowledged] of liveAcknowledged) book.#liveAcknowledged.set(id, acknowledged);
    for (const { kind, subject, data } of open)
      if (kind === 'event-rejected' && subject !== 'earlier') book.#rejected.add(data, subject);
    const limits = open.filter(({ kind }) => kind === 'limit-reached');
    for (const [accountId, alerts] of Map.groupBy(limits, (alert) => alert.accountId))
      if (accountId !== undefined)
        book.#reachedLimits.set(accountId, new Set(alerts.map(({ subject }) => subject)));
    return book;
  }
}

/** Kinds of alerts that facts raise about a cluster, and that any later fact may resolve. */
const KINDS_OF_FACTS = [
  'cluster-unreachable',
  'billing-stopped-unreachable',
  'billing-stopped-missing',
  'deletion-stuck',
] as const satisfies readonly AlertKind[];

/** An alert that is raised. */
type Raised = Pick<RaisedMembers, 'kind' | 'subject' | 'accountId' | 'data'>;

/** Returns what a fact says that was seen, and since when. */
function observationData({
  since,
  policy,
  evidence,
}: Extract<Fact, { type: 'ClusterUnreachable' | 'BillingStopped' }>): AlertData {
  const codes = evidence?.['codes'];
  const code =
    typeof codes === 'object' && codes !== null ? Object.keys(codes).join(', ') : evidence?.['code'];
  return {
    ...(typeof code === 'string' && code !== '' && { code }),
    ...(since !== undefined && { since }),
    ...(policy !== undefined && { policy }),
  };
}

/** Returns an alert without an acknowledgement that has ended. */
function asOf(alert: Alert, now: Instant): Alert {
  const until = alert.acknowledged?.until;
  if (until === undefined || now < until) return alert;
  const { acknowledged: _, ...rest } = alert instanceof RaisedAlert ? alert.members : alert;
  return { ...rest, silentUntil: until };
}
