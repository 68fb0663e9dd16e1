import { ALL_TYPES } from './billing/usage-meter.ts';
import { STUCK_AFTER_HOURS } from './cluster-deletion.ts';
/** The kinds of alert, with the severity and the texts of each. */
import type { ConditionKind } from './validation/judging/condition.ts';

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
  | 'billing-stopped-missing'
  | 'source-unreadable'
  | 'validator-stale'
  | 'deletion-stuck'
  | 'late-facts'
  | 'count-jump'
  | 'limit-reached'
  | 'id-differs-by-case'
  | 'event-id-on-two-clusters'
  | 'clock-untrusted'
  | 'key-expiring'
  | 'delivery-parked'
  | 'webhook-disabled'
  | 'statement-drift'
  | 'log-tampered'
  | 'log-behind';

/** Values that the texts of an alert mention. */
export type AlertData = Readonly<Record<string, string | number>>;

interface Words {
  readonly severity: Severity;
  /** Kind of thing that the subject identifies. */
  readonly about:
    | 'cluster'
    | 'account'
    | 'event'
    | 'shard'
    | 'period'
    | 'log'
    | 'platform'
    | 'host'
    | 'webhook'
    | 'key';
  /** Whether an acknowledgement also resolves the alert. */
  readonly endsWhenAcknowledged: boolean;
  readonly happened: (subject: string, data: AlertData) => string;
  /** Effect on the bill. */
  readonly bill: string | ((data: AlertData) => string);
  /** Advice to the operator. */
  readonly next: string | ((data: AlertData) => string);
}

const alert = (
  severity: Severity,
  about: Words['about'],
  happened: Words['happened'],
  bill: Words['bill'],
  next: Words['next'],
  endsWhenAcknowledged = false,
): Words => ({ severity, about, happened, bill, next, endsWhenAcknowledged });

const WHY_OUTAGE: Readonly<Record<string, (data: AlertData) => string>> = {
  canary: ({ canaries }) => `a canary that is known to be up did not answer: ${canaries}`,
  all: ({ of }) => `none of the ${of} clusters that were asked answered`,
  ratio: ({ bad, of }) =>
    `${bad} of ${of} clusters stopped answering at once, or did not answer when first asked`,
};

/** Returns what was seen of a cluster, for the end of a sentence: its codes, and the detail of the last verdict. */
function seenIn({ code, detail }: AlertData): string {
  if (code === undefined) return '';
  return detail === undefined ? `: ${code}` : `: ${code} (${detail})`;
}

/** Advice by the code of an `unverifiable` verdict. */
const UNVERIFIABLE_NEXT: Readonly<Record<string, string>> = {
  'no-credential':
    'If the cluster is gone, stop its billing. If it exists, put its credential where its registration says, or change the `connection` of its registration.',
  'credential-refused':
    'Change the named field of its credential. docs/validator.md lists the forms that are accepted.',
  'address-refused':
    'Give its credential an address that the ledger may ask, or allow this one: `validator.probe.addresses.allow`.',
  'internal-name': 'Give its credential an address that can be looked up where the ledger runs.',
  'source-unreadable': 'Make the source readable again. The alert `source-unreadable` says which one it is.',
  'network-down': 'Give the host of the ledger a route to this network.',
  'prober-failed':
    'See the log of the ledger. If it happens again, the credential of this cluster is the likely cause.',
  front: 'Ask the owner of what answered, a proxy or a load balancer, why it does not reach the API server.',
};

/** Advice about a cluster that exists and was never seen alive, by the code of the verdict. */
const NEVER_NEXT: Readonly<Record<string, string>> = {
  'tls-mismatch': 'put the certificate authority of the cluster into its credential.',
  'name-not-found': 'give its credential a name that can be looked up where the ledger runs.',
  refused: 'check the address and port in its credential.',
  timeout: 'give the ledger a route to it: a firewall, a VPN or a private endpoint may be in between.',
  'not-kubernetes': 'check the address in its credential: something else answers there.',
};

/** Minutes that facts may wait for the registration of their cluster before an alert is raised. */
export const ORPHAN_AFTER_MIN = 15;
/** Number of intervals without a completed run after which the validator is stale. */
export const STALE_AFTER_INTERVALS = 3;

export const ALERTS: Readonly<Record<AlertKind, Words>> = {
  'orphan-facts': alert(
    'warning',
    'cluster',
    (subject) =>
      `facts of cluster ${subject} are recorded, and no registration for ${ORPHAN_AFTER_MIN} minutes`,
    'The cluster is not billed: without a registration it belongs to no account.',
    'Find out who created the cluster, and register it from its creation on. If it never existed, void the facts.',
  ),
  'event-rejected': alert(
    'warning',
    'event',
    (_, { source, id, clusterId, code, count, actor }) =>
      count === undefined
        ? `event ${id} of ${source}${clusterId === '' ? '' : ` for cluster ${clusterId}`} was refused: ${code}${actor === undefined ? '' : `; ${actor} posted it`}`
        : `${count} more events were refused earlier`,
    'The event has no effect on any bill.',
    'See /v1/rejected-events. Fix the cause and retry the event, or acknowledge the alert if the event was wrong.',
    true,
  ),
  'cluster-unreachable': alert(
    'warning',
    'cluster',
    (subject, data) =>
      `cluster ${subject} has not answered since ${data['since'] ?? 'some time ago'}${seenIn(data)}`,
    'None yet: the cluster is billed until it has been unreachable for the time that its policy sets.',
    'Ask its owner whether the cluster still exists. If not, have it deleted. If it does, find out why the ledger cannot reach it.',
  ),
  'billing-stopped-unreachable': alert(
    'warning',
    'cluster',
    (subject, data) =>
      `billing of cluster ${subject} is stopped from ${data['since'] ?? 'some time ago'}: it is unreachable${seenIn(data)}`,
    'The cluster is not billed from then on, until it answers again.',
    'If the cluster is gone, have it deleted. If it still runs, find out why the ledger cannot reach it. If the stop is wrong, void it.',
  ),
  'billing-stopped-missing': alert(
    'warning',
    'cluster',
    (subject, { since }) =>
      `billing of cluster ${subject} is stopped from ${since ?? 'some time ago'}: its platform no longer lists it`,
    'The cluster is not billed from then on, until the platform lists it again or it answers.',
    'If the cluster is gone, have it deleted. If it still runs, find out why the platform does not list it. If the stop is wrong, void it.',
  ),
  'alive-after-delete': alert(
    'warning',
    'cluster',
    (subject, { deletedAt }) => `cluster ${subject}, deleted at ${deletedAt}, still answers`,
    'The cluster is not billed from its deletion on, although somebody may be using it.',
    'Check whether the deletion failed. If it did, void the deletion. If it is still in progress, wait or acknowledge the alert.',
    true,
  ),
  'mass-unreachable': alert(
    'critical',
    'shard',
    (_, data) => (WHY_OUTAGE[String(data['why'])] ?? (() => 'too many clusters are bad at once'))(data),
    'None: while this lasts, clusters that do not answer are not judged and no billing is stopped.',
    'Check the network, the DNS and the credentials of the ledger. If the clusters are really gone, decide to proceed.',
  ),
  flapping: alert(
    'info',
    'cluster',
    (subject, { flips }) =>
      `cluster ${subject} turned ${flips} times between reachable and not within 24 hours`,
    'None: the cluster is not judged until it has been steady for an hour.',
    'Find out why its API server comes and goes.',
  ),
  unverifiable: alert(
    'warning',
    'cluster',
    (subject, data) => `cluster ${subject} cannot be asked since ${data['since']}${seenIn(data)}`,
    'None: the cluster is billed by its facts, but the ledger cannot verify that it exists.',
    ({ code }) => UNVERIFIABLE_NEXT[String(code)] ?? 'See docs/validator.md for this code.',
  ),
  'never-verified': alert(
    'warning',
    'cluster',
    (subject, data) =>
      `cluster ${subject}, registered at ${data['registeredAt']}, has never been seen alive since it was first asked at ${data['since']}${seenIn(data)}`,
    'None: the cluster is billed. Silence alone never stops a cluster that was never seen alive.',
    ({ code }) =>
      `Find out whether the cluster exists. If it is gone, stop its billing from when it went: \`cluster-ledger undecided stop\`. If it exists, ${NEVER_NEXT[String(code)] ?? 'find out why the ledger cannot reach it.'}`,
  ),
  'credential-expired': alert(
    'warning',
    'cluster',
    (subject, data) =>
      data['code'] === 'front'
        ? `what stands in front of cluster ${subject} refuses the ledger since ${data['since']}${seenIn(data)}`
        : `cluster ${subject} answers, and does not accept the credential of the ledger since ${data['since']}${seenIn(data)}`,
    'None: the cluster is billed. The ledger no longer checks that it is the same cluster.',
    'Replace the credential. docs/validator.md shows how to make one that does not expire.',
  ),
  'certificate-expired': alert(
    'warning',
    'cluster',
    (subject, data) =>
      `the certificate of the API server of cluster ${subject} is not valid now, since ${data['since']}${seenIn(data)}`,
    'None: the cluster is billed, because its own authority has signed the certificate.',
    'Ask the owner of the cluster to renew the certificate. Its users cannot connect either.',
  ),
  'source-unreadable': alert(
    'critical',
    'platform',
    (subject, { why, since }) => `${subject} cannot be read since ${since}: ${why}`,
    'Deletions that only this source reports are missed until it can be read. Its clusters are billed as before.',
    'Make it readable again: check the network, the kubeconfig and the role of the ledger. The next list then shows what changed meanwhile.',
  ),
  'stop-unconfirmed': alert(
    'warning',
    'cluster',
    (subject, data) =>
      `cluster ${subject} has not answered since ${data['since']}${seenIn(data)}, and its platform ${data['inventory'] === 'listed' ? 'still lists it' : 'could not be asked'}`,
    'The cluster is still billed: what was seen does not prove that it is gone, and the inventory does not say so.',
    ({ code }) =>
      code === 'tls-mismatch'
        ? 'If the certificate authority of the cluster was renewed, put the new one into its credential. If the cluster is gone, stop its billing: `cluster-ledger undecided stop`.'
        : 'Find out why the cluster does not answer. If it is gone, stop its billing: `cluster-ledger undecided stop`.',
  ),
  'billed-but-missing': alert(
    'warning',
    'cluster',
    (subject, { lastListedAt, answers }) =>
      `cluster ${subject} is registered, and its platform no longer lists it${lastListedAt === undefined ? '' : `; it was last listed at ${lastListedAt}`}${answers === undefined ? '' : '. It still answers'}`,
    ({ held, stopsAt }) => {
      const billed = 'The cluster is billed although it may not exist.';
      if (held === 'host') return `${billed} The record of its management cluster is gone too.`;
      if (held === 'mass')
        return `${billed} Too many clusters disappeared at once to conclude that it is gone.`;
      return stopsAt === undefined
        ? billed
        : `${billed} Billing stops at ${stopsAt}, from when it was last listed, unless it is listed again.`;
    },
    'If the cluster is gone, have it deleted from the time it was removed, or stop its billing: `cluster-ledger undecided stop`. If not, find out why the platform no longer lists it.',
  ),
  'running-but-unregistered': alert(
    'warning',
    'platform',
    (subject, { source }) =>
      source === 'telemetry'
        ? `${subject} sends telemetry, and no cluster was registered for it`
        : `the platform lists ${subject}, and no cluster was registered for it`,
    'The cluster runs and is not billed.',
    'Register the cluster from its creation on, or have it removed.',
  ),
  'validator-stale': alert(
    'critical',
    'shard',
    () => `the validator has completed no run for ${STALE_AFTER_INTERVALS} intervals`,
    'None yet: clusters that are gone are not noticed and are still billed.',
    'See /v1/validations for the last runs, and the log of the ledger process.',
  ),
  'deletion-stuck': alert(
    'warning',
    'cluster',
    (subject, { confirmedAt }) =>
      `the deletion of cluster ${subject}, confirmed at ${confirmedAt}, is not done after ${STUCK_AFTER_HOURS} hours`,
    'The cluster is still billed: only its deletion ends the bill.',
    'Find out whether the application that deletes clusters has received the confirmation. If the cluster is gone, post cluster.deleted from the time it was removed. If it should stay, cancel the deletion.',
  ),
  'late-facts': alert(
    'info',
    'account',
    (subject, { facts, period }) =>
      `${facts} ${facts === 1 ? 'fact' : 'facts'} changed the usage of account ${subject} in closed periods, from ${period} on`,
    ({ adjusted, leftOut, statement }) => {
      if (adjusted === 0) return 'None: no statement ever has usage from before billing began.';
      const effect = `The statement for ${statement} has an adjustment, unless the changes cancel each other out.`;
      return leftOut === 0 ? effect : `${effect} Usage from before billing began is on no statement.`;
    },
    'No action is needed. The preview of the next statement shows the amount.',
  ),
  'count-jump': alert(
    'warning',
    'account',
    (subject, { before, after }) =>
      `account ${subject} is billed for ${after} clusters; a day earlier there were ${before}`,
    'None: each of these clusters is billed by its facts.',
    'Find out whether so many clusters were really created or deleted. If a producer made a mistake, void its facts.',
  ),
  'limit-reached': alert(
    'info',
    'account',
    (_, { clusterType, limit, billed }) => {
      const ofType = clusterType === ALL_TYPES ? '' : ` of type ${clusterType}`;
      const clusters = billed === 1 ? `1 cluster${ofType} is` : `${billed} clusters${ofType} are`;
      return `${clusters} billed and the limit of the plan is ${limit}`;
    },
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
  'clock-untrusted': alert(
    'critical',
    'host',
    (_, { why }) => `the clock of the host cannot be trusted: ${why}`,
    'No period is closed, and the validator records nothing. Facts are recorded as before.',
    'Compare the clock with a time server. If it is wrong, set it. If it is right, confirm it with `cluster-ledger clock trust --reason …`.',
  ),
  'key-expiring': alert(
    'warning',
    'key',
    (subject, { name, role, expiresAt }) => `key ${subject} of ${name} (${role}) expires at ${expiresAt}`,
    'None in the ledger. What its user would post or read after that is refused.',
    'Create a key with the same name and role, hand it over, then revoke this one: `cluster-ledger keys create`, `cluster-ledger keys revoke <id>`.',
  ),
  'delivery-parked': alert(
    'warning',
    'webhook',
    (_, { url, parked, error }) =>
      `the receiver ${url} refused ${parked} ${parked === 1 ? 'message' : 'messages'} at every attempt: ${error}`,
    'None in the ledger. The receiver does not know these facts.',
    'Fix the receiver, then send the messages again: `cluster-ledger webhooks replay <id>`.',
  ),
  'webhook-disabled': alert(
    'warning',
    'webhook',
    (_, { url, reason }) => `nothing is sent to the receiver ${url} any more: ${reason}`,
    'None in the ledger. The receiver gets no events.',
    'Fix the receiver, then enable the webhook: `cluster-ledger webhooks enable <id>`. It continues where it stopped.',
  ),
  'statement-drift': alert(
    'critical',
    'period',
    (subject, { why }) =>
      `the statements of ${subject} are no longer what they were when it was closed: ${why}`,
    'The statements that were sent cannot be reproduced.',
    'Do not bill from this ledger until the cause is known. Compare it with an evidence file of that period.',
  ),
  'log-tampered': alert(
    'critical',
    'log',
    (_, { why }) => `the log is not what was signed: ${why}`,
    'No figure can be trusted until the cause is known.',
    'Keep the store unchanged, and compare it with a checkpoint and a copy that another party keeps.',
  ),
  'log-behind': alert(
    'critical',
    'log',
    (_, { why }) => `events that were acknowledged are missing: ${why}`,
    'Figures lack the missing facts. No fact is recorded and no period is closed.',
    'Stop the ledger and restore the newest backup of the store with its -wal. If there is none, accept the loss: `cluster-ledger log accept-loss --reason …`. Then have the missing facts posted again.',
  ),
};

export const ALERT_KINDS = Object.keys(ALERTS) as [AlertKind, ...AlertKind[]];

/** Returns the id of an alert. It depends only on the kind and the subject, so that an alert keeps it while it lasts. */
export function alertId(kind: AlertKind, subject: string): string {
  return `${kind}:${subject}`;
}

/** Returns the kind and the subject of the alert with an id. The kind may be one that this release does not know. */
export function alertKey(id: string): { readonly kind: string; readonly subject: string } {
  const end = id.indexOf(':');
  return { kind: id.slice(0, end), subject: id.slice(end + 1) };
}

/** Returns the texts of an alert: what happened, the effect on the bill, and what to do next. */
export function alertText(kind: AlertKind, subject: string, data: AlertData) {
  const { happened, bill, next } = ALERTS[kind];
  const textOf = (text: string | ((data: AlertData) => string)) =>
    typeof text === 'string' ? text : text(data);
  return { happened: happened(subject, data), bill: textOf(bill), next: textOf(next) };
}
