import type { ConditionKind } from './validation/judging/condition.ts';

/** What somebody should hear of: every kind of alert, how bad it is, and its words. */

export const SEVERITIES = ['critical', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const ALERT_STATES = ['open', 'acknowledged', 'resolved'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

export type AlertKind =
  | ConditionKind
  | 'orphan-facts'
  | 'event-rejected'
  | 'cluster-unreachable'
  | 'billing-stopped-unreachable'
  | 'validator-stale'
  | 'late-facts'
  | 'limit-reached'
  | 'id-differs-by-case'
  | 'event-id-on-two-clusters'
  | 'statement-drift'
  | 'log-tampered';

/** What is known of an alert, for its words. */
export type AlertData = Readonly<Record<string, string | number>>;

interface Words {
  readonly severity: Severity;
  /** What its subject names. */
  readonly about: 'cluster' | 'account' | 'event' | 'shard' | 'period' | 'log' | 'platform';
  /** Acknowledging it also resolves it. */
  readonly endsWhenAcknowledged: boolean;
  readonly happened: (subject: string, data: AlertData) => string;
  /** What it does to the bill. */
  readonly bill: string | ((data: AlertData) => string);
  /** What to do next. */
  readonly next: string;
}

const alert = (
  severity: Severity,
  about: Words['about'],
  happened: Words['happened'],
  bill: Words['bill'],
  next: string,
  endsWhenAcknowledged = false,
): Words => ({ severity, about, happened, bill, next, endsWhenAcknowledged });

const WHY_OUTAGE: Readonly<Record<string, (data: AlertData) => string>> = {
  canary: ({ canaries }) => `a canary that is known to be up did not answer: ${canaries}`,
  all: ({ of }) => `none of the ${of} clusters that were asked answered`,
  ratio: ({ bad, of }) => `${bad} of ${of} clusters that were reachable turned bad at once`,
};

/** Minutes for which facts may wait for their registration before somebody should hear of it. */
export const ORPHAN_AFTER_MIN = 15;
/** Intervals without a completed run, after which the validator is stale. */
export const STALE_AFTER_INTERVALS = 3;

export const ALERTS: Readonly<Record<AlertKind, Words>> = {
  'orphan-facts': alert(
    'warning',
    'cluster',
    (subject) =>
      `facts of cluster ${subject} are recorded, and no registration for ${ORPHAN_AFTER_MIN} minutes`,
    'The cluster is not billed: without a registration it belongs to nobody.',
    'Find out who made it, and register it from when it began; or void the facts if it never existed.',
  ),
  'event-rejected': alert(
    'warning',
    'event',
    (_, { source, id, clusterId, code, count }) =>
      count === undefined
        ? `event ${id} of ${source} for cluster ${clusterId} was refused: ${code}`
        : `${count} more events were refused earlier`,
    'What the event says counts for nothing.',
    'Look at it in /v1/rejected-events. Put right what stands against it and retry it, or acknowledge this if it was wrong.',
    true,
  ),
  'cluster-unreachable': alert(
    'warning',
    'cluster',
    (subject, { since }) => `cluster ${subject} has not answered since ${since ?? 'some time ago'}`,
    'None yet: it is billed until it has been gone for as long as its policy says.',
    'Ask its owner whether it is gone. If it is, have it deleted; if it is not, see why we cannot reach it.',
  ),
  'billing-stopped-unreachable': alert(
    'warning',
    'cluster',
    (subject, { since }) =>
      `billing of cluster ${subject} is stopped from ${since ?? 'some time ago'}: it is unreachable`,
    'It is not billed from then on, until it answers again.',
    'If it is gone, have it deleted. If it still runs, see why we cannot reach it; if the stop is wrong, void it.',
  ),
  'alive-after-delete': alert(
    'warning',
    'cluster',
    (subject, { deletedAt }) => `cluster ${subject}, deleted at ${deletedAt}, still answers`,
    'It is not billed from its deletion on, and somebody may be using it.',
    'See whether the deletion failed. If it did, void the deletion; if it is still under way, wait; or acknowledge this.',
    true,
  ),
  'mass-unreachable': alert(
    'critical',
    'shard',
    (_, data) => (WHY_OUTAGE[String(data['why'])] ?? (() => 'too many clusters are bad at once'))(data),
    'None: while this lasts nothing is concluded from clusters that do not answer, and no billing is stopped.',
    'See whether our own network, DNS or credentials are at fault. If the clusters are really gone, decide to proceed.',
  ),
  flapping: alert(
    'info',
    'cluster',
    (subject, { flips }) =>
      `cluster ${subject} turned ${flips} times between reachable and not within 24 hours`,
    'None: nothing is concluded until it has been steady for an hour.',
    'See what makes its API server come and go.',
  ),
  unverifiable: alert(
    'warning',
    'cluster',
    (subject, { code, since }) => `cluster ${subject} cannot be asked since ${since}: ${code}`,
    'None: it is billed as its facts say, and nobody verifies that it exists.',
    'See that its registration names credentials, and that they can be read and are of an accepted form.',
  ),
  'stop-unconfirmed': alert(
    'warning',
    'cluster',
    (subject, { since, inventory }) =>
      inventory === 'listed'
        ? `cluster ${subject} has not answered since ${since}, and its platform still lists it`
        : `cluster ${subject} has not answered since ${since}, and its platform could not be asked`,
    'It is still billed: its policy stops billing only where the inventory says too that it is gone.',
    'See why it does not answer. If it is gone, have it deleted, or stop its billing by hand.',
  ),
  'billed-but-missing': alert(
    'warning',
    'cluster',
    (subject) => `cluster ${subject} is registered, and its platform no longer lists it`,
    'It is billed, perhaps for nothing.',
    'If it is gone, have it deleted from when it was. If it is not, see why the platform lost it.',
  ),
  'running-but-unregistered': alert(
    'warning',
    'platform',
    (subject) => `the platform lists ${subject}, and no cluster was registered for it`,
    'It runs and is not billed.',
    'Register it from when it was made, or have it removed.',
  ),
  'validator-stale': alert(
    'critical',
    'shard',
    () => `the validator has completed no run for ${STALE_AFTER_INTERVALS} intervals`,
    'None yet: what is gone is not noticed, and still billed.',
    'See /v1/validations for how the last runs ended, and the log of the ledger.',
  ),
  'late-facts': alert(
    'info',
    'account',
    (subject, { facts, period }) =>
      `${facts} ${facts === 1 ? 'fact' : 'facts'} changed the usage of account ${subject} in closed periods, from ${period} on`,
    ({ facts, unbilled, statement }) => {
      if (facts === unbilled) return 'None: no statement ever has usage from before billing began.';
      const adjusted = `The statement for ${statement} has an adjustment for it.`;
      return unbilled === 0 ? adjusted : `${adjusted} Usage from before billing began is on no statement.`;
    },
    'No action is needed. The preview of the next statement shows the amount.',
  ),
  'limit-reached': alert(
    'info',
    'account',
    (_, { clusterType, limit, billed }) =>
      clusterType === '*'
        ? `${billed} clusters are billed and the limit of the plan is ${limit}`
        : `${billed} clusters of type ${clusterType} are billed and the limit of the plan is ${limit}`,
    'None: limits have no effect on billing.',
    'Delete clusters that are not needed, or raise the limit in the profile of the account.',
  ),
  'id-differs-by-case': alert(
    'warning',
    'cluster',
    (subject, { other }) => `cluster ids ${subject} and ${other} differ only in upper and lower case`,
    'Both are billed: ids are compared exactly.',
    'If both are the same cluster, void the facts of one of them. If not, acknowledge this.',
    true,
  ),
  'event-id-on-two-clusters': alert(
    'warning',
    'event',
    (_, { source, id, clusterId, otherClusterId }) =>
      `event ${id} of ${source} was posted for cluster ${otherClusterId} and again for cluster ${clusterId}`,
    'Both facts are active: an event is a repeat only within its cluster.',
    'If the second one corrects a wrong subject, void the fact of the wrong cluster. If not, acknowledge this.',
    true,
  ),
  'statement-drift': alert(
    'critical',
    'period',
    (subject, { why }) =>
      `the statements of ${subject} are no longer what they were when it was closed: ${why}`,
    'The statements that were sent cannot be reproduced.',
    'Do not bill from this ledger until it is understood: compare it with an evidence file of that period.',
  ),
  'log-tampered': alert(
    'critical',
    'log',
    (_, { why }) => `the log is not what was signed: ${why}`,
    'No figure can be trusted until it is understood.',
    'Keep the store as it is, and compare it with a checkpoint and a copy that somebody else has.',
  ),
};

export const ALERT_KINDS = Object.keys(ALERTS) as [AlertKind, ...AlertKind[]];

/** The name of an alert: the same for as long as it is about the same. */
export function alertId(kind: AlertKind, subject: string): string {
  return `${kind}:${subject}`;
}
