import type { Period } from './time.ts';

/**
 * Table of all streams. `docs/ARCHITECTURE.md` shows the same table. A name that ends in `*` is a prefix: the rest names the
 * cluster, period or run. The log holds the events of every stream except state streams, whose names begin with `~`.
 * `src/audit` and `src/eventstore` must not import this table and repeat their own names; `test/tidy.test.ts` compares them.
 */
export const STREAMS = {
  cluster: {
    name: 'cluster-*',
    holds: 'the facts of a cluster',
    types: 'every fact type',
    writer: 'src/ledger/ledger.ts',
  },
  period: {
    name: 'period-*',
    holds: 'the closing of a period',
    types: ['PeriodClosed'],
    writer: 'src/ledger/period-closing-store.ts',
  },
  account: {
    name: 'account-*',
    holds: 'the profile of an account',
    types: ['AccountDescribed'],
    writer: 'src/ledger/operator-decisions.ts',
  },
  billing: {
    name: 'billing',
    holds: 'the period that statements begin with',
    types: ['BillingBegan'],
    writer: 'src/ledger/first-period.ts',
  },
  validation: {
    name: 'validation-*',
    holds: 'the records of a run of the validator',
    types: [
      'ValidationStarted',
      'ValidationProgressed',
      'ValidationRecorded',
      'ValidationJudged',
      'ValidationCompleted',
    ],
    writer: 'src/ledger/validation-runs.ts',
  },
  rejectedEvents: {
    name: 'rejected-events',
    holds: 'events that were rejected, and why',
    types: ['EventRejected'],
    writer: 'src/ledger/rejected-event-store.ts',
  },
  warnings: {
    name: 'warnings',
    holds: 'what the ledger noticed about accepted events',
    types: ['EventIdShared'],
    writer: 'src/ledger/shared-event-ids.ts',
  },
  alerts: {
    name: 'alerts',
    holds: 'acknowledgements of alerts',
    types: ['AlertAcknowledged'],
    writer: 'src/ledger/operator-decisions.ts',
  },
  notices: {
    name: 'alert-notices',
    holds: 'when an alert was raised, changed and resolved, for those who are notified',
    types: ['AlertRaised', 'AlertUpdated', 'AlertResolved'],
    writer: 'src/delivery/alerts/alert-announcer.ts',
  },
  validatorDecisions: {
    name: 'validator-decisions',
    holds: 'decisions of operators about the validator',
    types: ['OutageDecided'],
    writer: 'src/ledger/operator-decisions.ts',
  },
  clock: {
    name: 'clock',
    holds: 'when the clock was doubted, and who trusted it again',
    types: ['ClockDoubted', 'ClockTrusted'],
    writer: 'src/ledger/clock-records.ts',
  },
  losses: {
    name: 'losses',
    holds: 'which losses of acknowledged events operators accepted',
    types: ['LossAccepted'],
    writer: 'src/ledger/loss-records.ts',
  },
  webhooks: {
    name: 'webhooks',
    holds: 'the webhooks, and what operators asked of their deliveries',
    types: [
      'WebhookCreated',
      'WebhookChanged',
      'WebhookSecretRotated',
      'WebhookDisabled',
      'WebhookEnabled',
      'WebhookDeleted',
      'DeliveriesRequested',
    ],
    writer: 'src/ledger/webhook-records.ts',
  },
  consumer: {
    name: '~consumer-*',
    holds: 'the state of a consumer group',
    types: ['ConsumerSaved'],
    writer: 'src/delivery/groups/group-state.ts',
  },
  claim: {
    name: '~claim-*',
    holds: 'which process does standing work',
    types: ['Claimed'],
    writer: 'src/delivery/claim.ts',
  },
  access: {
    name: 'access',
    holds: 'which API keys were created and revoked',
    types: ['KeyCreated', 'KeyRevoked'],
    writer: 'src/ledger/access-keys.ts',
  },
  keyUses: {
    name: '~key-uses',
    holds: 'when each API key was last used',
    types: ['KeysUsed'],
    writer: 'src/ledger/key-uses.ts',
  },
  statementDigests: {
    name: '~statement-digests-*',
    holds: 'one digest per statement of a closed period',
    types: ['StatementDigestsKept'],
    writer: 'src/ledger/statement-digests.ts',
  },
  firstPeriod: {
    name: '~first-period',
    holds: 'which period is the first with statements, chosen before it is closed or a beginning is recorded',
    types: ['FirstPeriodChosen'],
    writer: 'src/ledger/first-period.ts',
  },
  starts: {
    name: '~ledger-starts',
    holds: 'the starts of the ledger, and the epochs of its positions',
    types: ['LedgerStarted'],
    writer: 'src/projections/log-starts.ts',
  },
  ledger: {
    name: '~ledger',
    holds: 'the id of the ledger',
    types: ['LedgerCreated'],
    writer: 'src/audit/ledger-id.ts',
  },
  checkpoints: {
    name: '~log-checkpoints',
    holds: 'the signed checkpoints of the log',
    types: ['CheckpointSigned'],
    writer: 'src/audit/checkpoint-store.ts',
  },
  cosignatures: {
    name: '~log-cosignatures',
    holds: 'the cosignatures of witnesses',
    types: ['CheckpointCosigned'],
    writer: 'src/audit/witness/cosignature-store.ts',
  },
  logIndex: {
    name: '~log-index',
    holds: 'where every 1,000th event of the log is (EventStoreDB only)',
    types: ['LogIndexed'],
    writer: 'src/eventstore/esdb/log-index.ts',
  },
  logGaps: {
    name: '~log-gaps',
    holds: 'long parts of the log of the server without events of the ledger (EventStoreDB only)',
    types: ['LogGapFound'],
    writer: 'src/eventstore/esdb/log-gaps.ts',
  },
} as const;

const CLUSTER_PREFIX = prefixOf('cluster');
const PERIOD_PREFIX = prefixOf('period');
const ACCOUNT_PREFIX = prefixOf('account');
const VALIDATION_PREFIX = prefixOf('validation');
const CONSUMER_PREFIX = prefixOf('consumer');
const CLAIM_PREFIX = prefixOf('claim');
const STATEMENT_DIGESTS_PREFIX = prefixOf('statementDigests');

export const REJECTED_STREAM = STREAMS.rejectedEvents.name;
export const [EVENT_REJECTED] = STREAMS.rejectedEvents.types;
export const WARNINGS_STREAM = STREAMS.warnings.name;
export const [EVENT_ID_SHARED] = STREAMS.warnings.types;
export const ALERTS_STREAM = STREAMS.alerts.name;
export const [ALERT_ACKNOWLEDGED] = STREAMS.alerts.types;
export const NOTICES_STREAM = STREAMS.notices.name;
export const [ALERT_RAISED, ALERT_UPDATED, ALERT_RESOLVED] = STREAMS.notices.types;
export const DECISIONS_STREAM = STREAMS.validatorDecisions.name;
/** Until the instant that the event names, the validator records facts although its breaker is open. */
export const [OUTAGE_DECIDED] = STREAMS.validatorDecisions.types;
export const CLOCK_STREAM = STREAMS.clock.name;
export const [CLOCK_DOUBTED, CLOCK_TRUSTED] = STREAMS.clock.types;
export const ACCESS_STREAM = STREAMS.access.name;
export const [KEY_CREATED, KEY_REVOKED] = STREAMS.access.types;
export const KEY_USES_STREAM = STREAMS.keyUses.name;
export const [KEYS_USED] = STREAMS.keyUses.types;
export const LOSSES_STREAM = STREAMS.losses.name;
export const [LOSS_ACCEPTED] = STREAMS.losses.types;
export const BILLING_STREAM = STREAMS.billing.name;
export const [BILLING_BEGAN] = STREAMS.billing.types;
export const [ACCOUNT_DESCRIBED] = STREAMS.account.types;
export const FIRST_PERIOD_STREAM = STREAMS.firstPeriod.name;
export const [FIRST_PERIOD_CHOSEN] = STREAMS.firstPeriod.types;
export const [PERIOD_CLOSED] = STREAMS.period.types;
export const LEDGER_STARTS_STREAM = STREAMS.starts.name;
export const [LEDGER_STARTED] = STREAMS.starts.types;
export const WEBHOOKS_STREAM = STREAMS.webhooks.name;
export const [
  WEBHOOK_CREATED,
  WEBHOOK_CHANGED,
  WEBHOOK_SECRET_ROTATED,
  WEBHOOK_DISABLED,
  WEBHOOK_ENABLED,
  WEBHOOK_DELETED,
  DELIVERIES_REQUESTED,
] = STREAMS.webhooks.types;
export const [CONSUMER_SAVED] = STREAMS.consumer.types;
export const [CLAIMED] = STREAMS.claim.types;
export const [STATEMENT_DIGESTS] = STREAMS.statementDigests.types;

export function clusterStream(clusterId: string): string {
  return CLUSTER_PREFIX + clusterId;
}

/** Returns the id of the cluster whose facts the stream holds, or `undefined` if it holds something else. */
export function clusterOfStream(stream: string): string | undefined {
  return withoutPrefix(stream, CLUSTER_PREFIX);
}

export function periodStream(period: Period): string {
  return PERIOD_PREFIX + period;
}

/** Returns the period whose closing the stream holds, or `undefined` if it holds something else. */
export function periodOfStream(stream: string): Period | undefined {
  return withoutPrefix(stream, PERIOD_PREFIX);
}

export function accountStream(accountId: string): string {
  return ACCOUNT_PREFIX + accountId;
}

/** Returns the id of the account whose profile the stream holds, or `undefined` if it holds something else. */
export function accountOfStream(stream: string): string | undefined {
  return withoutPrefix(stream, ACCOUNT_PREFIX);
}

export function runStream(run: string): string {
  return VALIDATION_PREFIX + run;
}

/** Returns the id of the run whose records the stream holds, or `undefined` if it holds something else. */
export function runOfStream(stream: string): string | undefined {
  return withoutPrefix(stream, VALIDATION_PREFIX);
}

/** Returns the stream of the state of a consumer group. */
export function consumerStream(group: string): string {
  return CONSUMER_PREFIX + group;
}

/** Returns the stream of the claims on a piece of standing work. */
export function claimStream(work: string): string {
  return CLAIM_PREFIX + work;
}

export function statementDigestsStream(period: Period): string {
  return STATEMENT_DIGESTS_PREFIX + period;
}

/** Returns whether the stream holds state, which is not part of the log. */
export function isStateStream(stream: string): boolean {
  return stream.startsWith('~');
}

function prefixOf(key: keyof typeof STREAMS): string {
  return STREAMS[key].name.slice(0, -'*'.length);
}

function withoutPrefix(stream: string, prefix: string): string | undefined {
  return stream.startsWith(prefix) ? stream.slice(prefix.length) : undefined;
}
