import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { SignedLog } from '../../audit/signed-log.ts';
import type { Witnesses } from '../../audit/witness/witnesses.ts';
import type { Config } from '../../config/config.ts';
import type { LogTail } from '../../delivery/log-tail.ts';
import type { Webhooks } from '../../delivery/webhooks/webhook-groups.ts';
import type { DeletionMode } from '../../domain/cluster-deletion.ts';
import type { EventStore } from '../../eventstore/event-store.ts';
import type { AccessKeys } from '../../ledger/access-keys.ts';
import type { ClockGuard } from '../../ledger/clock-guard.ts';
import type { FirstPeriod } from '../../ledger/first-period.ts';
import type { KeyUses } from '../../ledger/key-uses.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { LossAcceptance } from '../../ledger/loss-records.ts';
import type { OperatorDecisions } from '../../ledger/operator-decisions.ts';
import type { ReadOnlyLatch } from '../../ledger/read-only-latch.ts';
import type { WebhookRecords } from '../../ledger/webhook-records.ts';
import type { Epoch } from '../../projections/log-starts.ts';
import type { Projections } from '../../projections/projections.ts';
import type { ClosePeriod } from '../../usecases/close-period.ts';
import type { BeginOutcome, RunPlan, RunProgress } from '../../usecases/run-validation.ts';
import type { SourceHealth } from '../../usecases/source-health.ts';
import type { AccessControl } from '../access/access-control.ts';
import type { IdentityProvider } from '../access/identity-provider.ts';
import type { OpenAnswers } from '../access/open-answers.ts';
import type { Sessions } from '../access/sealed-sessions.ts';
import type { KubefirstServices } from '../kubefirst-services.ts';
import type { Metrics } from '../metrics/metrics.ts';

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** The validator, as the HTTP routes use it. */
export interface ValidatorControl {
  /** Progress of the active run of this process; `undefined` if none is active. */
  readonly progress: Readonly<RunProgress> | undefined;
  /** Starts a run; returns `taken`, with the id of the active run, if one is active. */
  request(actor: string): Promise<Pick<BeginOutcome, 'outcome' | 'run'>>;
  /** Computes what a run would do now. */
  plan(): Promise<RunPlan>;
}

/** The services that the routes call. */
export interface HttpServices {
  readonly store: EventStore;
  readonly access: AccessControl;
  readonly openAnswers: OpenAnswers;
  readonly keys: AccessKeys;
  readonly keyUses: KeyUses;
  readonly sessions: Sessions;
  /** Absent if people sign in with keys only. */
  readonly identityProvider: IdentityProvider | undefined;
  readonly ledger: Ledger;
  readonly projections: Projections;
  readonly signedLog: SignedLog;
  readonly witnesses: Pick<Witnesses, 'cosigned'>;
  readonly metrics: Metrics;
  readonly decisions: OperatorDecisions;
  readonly firstPeriod: FirstPeriod;
  readonly kubefirst: KubefirstServices;
  readonly closePeriod: ClosePeriod;
  readonly clockGuard: ClockGuard;
  /** The newest events, for consumers of this process. */
  readonly tail: LogTail;
  readonly health: SourceHealth;
  readonly webhooks: Webhooks;
  readonly webhookRecords: WebhookRecords;
  /** Whether, and why, the log is closed for writing. */
  readonly latch: Pick<ReadOnlyLatch, 'loss'>;
  /** Opens the ledger again without the events that are lost; absent if this process cannot. */
  readonly acceptLoss?: ((acceptance: LossAcceptance) => void) | undefined;
  /** Absent if no source of credentials is configured. */
  readonly validator?: ValidatorControl | undefined;
  /** How long after its end a period waits for late facts, in milliseconds. */
  readonly graceMs: number;
  /** Returns the epochs of the log in order. They are known once the projections have caught up. */
  readonly epochs: () => readonly Epoch[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Returns the time that events are stamped with. Alerts and runs are compared with it. */
  readonly recordingTime: () => number;
  readonly version: string;
  /** Adds hooks that trace requests, before all others. */
  readonly trace: (app: App) => void;
  /** Settings that are only shown. */
  readonly configured: Pick<Config, 'store' | 'backdatingMs' | 'autoClose' | 'validator'>;
  /** Who decides that a cluster is deleted. */
  readonly deletionMode: DeletionMode;
  /** Networks of the proxies whose headers are believed. */
  readonly trustProxy: readonly string[];
  /** Origins of other websites whose pages may send requests. */
  readonly allowedOrigins: readonly string[];
  /** Maximum number of requests of one key in 10 seconds. */
  readonly rateLimit: number;
}
