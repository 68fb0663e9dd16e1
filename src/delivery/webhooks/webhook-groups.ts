import { randomUUID } from 'node:crypto';
import type { FeedEventOut } from '../../api/feed.ts';
import { LEDGER_SOURCE } from '../../domain/facts/cloud-event.ts';
import { WEBHOOKS_STREAM } from '../../domain/stream-table.ts';
import { formatInstant, type Instant } from '../../domain/time.ts';
import type { Webhook } from '../../domain/webhook.ts';
import type { EventStore, LogEvent } from '../../eventstore/event-store.ts';
import type { LiveAlert } from '../../projections/alerts/raised-alert.ts';
import type { Epoch } from '../../projections/log-starts.ts';
import type { Projections } from '../../projections/projections.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { Logger } from '../../util/logger.ts';
import type { Operations } from '../../util/operation-listeners.ts';
import { Claim } from '../claim.ts';
import { ClaimedWork } from '../claimed-work.ts';
import { feedEventOf, isOfTypes } from '../feed-event.ts';
import { ConsumerGroup, type GroupStatus, type Handled, type Selected } from '../groups/consumer-group.ts';
import { type GroupState, GroupStateFile, GroupTaken, type ParkedMessage } from '../groups/group-state.ts';
import type { LogTail } from '../log-tail.ts';
import { WebhookBook } from './webhook-book.ts';
import type { WebhookKeys } from './webhook-keys.ts';
import type { WebhookSender } from './webhook-sender.ts';

/** How long a receiver may fail without a success before its webhook is disabled. */
export const GIVE_UP_AFTER_MS = 5 * 24 * 3_600_000;

export interface WebhooksOptions {
  readonly store: EventStore;
  readonly projections: Projections;
  readonly tail: LogTail;
  /** Returns the epochs of the log, in order. */
  readonly epochs: () => readonly Epoch[];
  readonly keys: WebhookKeys;
  readonly sender: WebhookSender;
  /** Records that a webhook is disabled. */
  readonly disable: (webhookId: string, reason: string) => Promise<unknown>;
  readonly now: () => Instant;
  /** A clock that nobody can set, in milliseconds. */
  readonly monotonic: () => number;
  readonly operations: Operations;
  readonly log: Logger;
}

interface Running {
  readonly group: ConsumerGroup;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  /** The webhook that the group was started for. A change of it takes effect without a restart. */
  webhook: Webhook;
}

/**
 * Sends the events of the log to the enabled webhooks, one consumer group each. One process does this at a time: it holds a
 * claim. The others take over if it ends.
 */
export class Webhooks {
  readonly #options: WebhooksOptions;
  readonly #tail: LogTail;
  readonly #work: ClaimedWork;
  readonly book: WebhookBook;
  readonly #running = new Map<string, Running>();
  /** Events as they are sent. Every webhook selects from the same ones. */
  readonly #sent = new WeakMap<LogEvent, { readonly event: FeedEventOut | undefined }>();
  /** The parked messages of groups that another process runs, or that are stopped or just starting, by webhook. */
  readonly #storedParked = new Map<string, readonly ParkedMessage[]>();
  readonly #stop = new AbortController();
  /** Number of changes of the book that were seen, and of those that it has read. */
  #changes = 1;
  #changesRead = 0;

  constructor(options: WebhooksOptions) {
    this.#options = options;
    const { store, projections, tail, now, monotonic } = options;
    this.book = new WebhookBook(store);
    this.#tail = tail;
    this.#work = new ClaimedWork({
      name: 'webhooks',
      claim: new Claim(store, 'webhooks', { now, monotonic }),
      tail,
      isNeeded: () => this.#isNeeded(),
      work: () => this.#startGroups(),
      watch: () => this.#readParked(),
      end: () => this.#stopGroups(),
      log: options.log,
    });
    projections.subscribe((events) => {
      if (events.some(({ stream }) => stream === WEBHOOKS_STREAM)) this.#bookChanged();
    });
  }

  /** Reads what was recorded about webhooks since the last call. Changes are in effect when it returns. @throws StoreUnavailable */
  async refresh(): Promise<void> {
    const changes = this.#changes;
    await this.book.refresh();
    this.#changesRead = Math.max(this.#changesRead, changes);
    for (const [webhookId, running] of this.#running) {
      const webhook = this.book.find(webhookId);
      if (webhook === undefined || webhook.disabled !== undefined) running.stop.abort();
      else running.webhook = webhook;
    }
  }

  /** Begins to send. */
  start(): void {
    this.#work.start();
  }

  /** Ends all attempts, stores where each webhook stands, and gives up the claim. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#work.stop();
    await this.#options.sender.close();
  }

  /** The key that secrets are derived from. */
  get keys(): WebhookKeys {
    return this.#options.keys;
  }

  /** The public key of the signatures by Ed25519, `whpk_…`; `undefined` if messages have none. */
  get publicKey(): string | undefined {
    return this.#options.sender.publicKey;
  }

  /** Returns why a URL can never be a target, as words that follow the name of the field; `undefined` if it may be one. */
  problemOf(url: string): string | undefined {
    return this.#options.sender.problemOf(url);
  }

  /** Returns the figures of the webhooks that this process sends to. */
  running(): { readonly webhookId: string; readonly status: GroupStatus; readonly behind: number }[] {
    return Array.from(
      this.#running,
      ([
        webhookId,
        {
          group: { status },
        },
      ]) => ({
        webhookId,
        status,
        behind: Math.max(0, this.#tail.head - status.checkpoint),
      }),
    );
  }

  /** Returns the figures of a webhook. @throws StoreUnavailable */
  async statusOf(webhook: Webhook): Promise<GroupStatus> {
    const running = this.#running.get(webhook.webhookId);
    if (running !== undefined) return running.group.status;
    // Another process sends, or none: the stored state is at most about a second old.
    const stored = await new GroupStateFile(this.#options.store, groupOf(webhook.webhookId)).read();
    return statusOf(stored, webhook.after);
  }

  /** Returns the alerts that hold now: webhooks that the ledger disabled, and parked messages. */
  alerts(): LiveAlert[] {
    return this.book.all().flatMap((webhook) => {
      const { webhookId: subject, url, disabled } = webhook;
      const alerts: LiveAlert[] = [];
      if (disabled?.isAutomatic === true) {
        const { since, reason } = disabled;
        alerts.push({ kind: 'webhook-disabled', subject, since, data: { url, reason } });
      }
      const group = this.#running.get(subject)?.group;
      const parked =
        group?.isRestored === true ? group.status.parked : (this.#storedParked.get(subject) ?? []);
      const [first] = parked;
      if (first !== undefined) {
        const data = { url, parked: parked.length, error: first.error };
        alerts.push({ kind: 'delivery-parked', subject, since: first.parkedAt, data });
      }
      return alerts;
    });
  }

  /** Sends a test event to a webhook, once and at once, whatever waits. @returns what came of it, and how long it took. */
  async test(webhook: Webhook): Promise<{ readonly handled: Handled; readonly durationMs: number }> {
    const { now } = this.#options;
    const began = performance.now();
    const id = randomUUID();
    const event = {
      specversion: '1.0',
      id,
      source: LEDGER_SOURCE,
      type: 'io.clusterledger.webhook.test.v1',
      subject: webhook.webhookId,
      time: formatInstant(now()),
      datacontenttype: 'application/json',
      data: { webhookId: webhook.webhookId },
    };
    const handled = await this.#send(webhook, id, JSON.stringify(event), this.#stop.signal);
    return { handled, durationMs: Math.round(performance.now() - began) };
  }

  async #isNeeded(): Promise<boolean> {
    if (this.#changesRead < this.#changes) await this.refresh();
    return this.#enabled().length > 0;
  }

  #enabled(): readonly Webhook[] {
    return this.book.all().filter(({ disabled }) => disabled === undefined);
  }

  /** Reads what another process has parked, for the alerts. */
  async #readParked(): Promise<void> {
    for (const { webhookId } of this.book.all()) {
      const stored = await new GroupStateFile(this.#options.store, groupOf(webhookId)).read();
      this.#storedParked.set(webhookId, stored?.parked ?? []);
    }
  }

  /** Starts a group for each enabled webhook that has none, and passes on what operators asked. */
  #startGroups(): void {
    for (const webhook of this.#enabled()) {
      const { group } = this.#running.get(webhook.webhookId) ?? this.#startGroup(webhook);
      for (const { command, revision } of this.book.commandsOf(webhook.webhookId))
        group.command(command, revision);
    }
  }

  #startGroup(webhook: Webhook): Running {
    const { store, now, log, disable } = this.#options;
    const { webhookId } = webhook;
    const stop = new AbortController();
    const group = new ConsumerGroup({
      tail: this.#tail,
      state: new GroupStateFile(store, groupOf(webhookId)),
      from: webhook.after,
      select: (event) => this.#select(event, running.webhook),
      handle: (event, signal) => this.#deliver(event, running.webhook, signal),
      onStopped: async (reason) => {
        log.warn({ webhookId, reason }, 'a webhook is disabled');
        await disable(webhookId, reason);
        await this.refresh();
      },
      onParked: (position, reason) => log.warn({ webhookId, position, reason }, 'a delivery is parked'),
      giveUpAfterMs: GIVE_UP_AFTER_MS,
      now,
      log,
    });
    const running: Running = {
      group,
      stop,
      webhook,
      ended: Promise.resolve().then(() => this.#runGroup(webhookId, group, stop.signal)),
    };
    this.#running.set(webhookId, running);
    return running;
  }

  async #runGroup(webhookId: string, group: ConsumerGroup, signal: AbortSignal): Promise<void> {
    try {
      await group.run(signal);
    } catch (error) {
      if (error instanceof GroupTaken) this.#options.log.info({ webhookId }, 'another process sends now');
      else this.#options.log.error({ webhookId, err: error }, 'a webhook is not sent; trying again');
    } finally {
      if (group.isRestored) this.#storedParked.set(webhookId, group.status.parked);
      this.#running.delete(webhookId);
    }
  }

  async #stopGroups(): Promise<void> {
    const running = [...this.#running.values()];
    for (const { stop } of running) stop.abort();
    await Promise.all(running.map(({ ended }) => ended));
  }

  /** Events of one stream, such as the facts of a cluster, are sent in order. */
  #select(event: LogEvent, { types }: Webhook): Selected | undefined {
    const sent = this.#sentAs(event);
    if (sent === undefined || (types.length > 0 && !isOfTypes(sent.type, types))) return undefined;
    return { key: event.stream, type: sent.type, subject: sent.subject };
  }

  #sentAs(event: LogEvent): FeedEventOut | undefined {
    const known = this.#sent.get(event) ?? { event: feedEventOf(event, this.#options.epochs()) };
    this.#sent.set(event, known);
    return known.event;
  }

  async #deliver(event: LogEvent, webhook: Webhook, signal: AbortSignal): Promise<Handled> {
    const { webhookId } = webhook;
    const ended = this.#options.operations.begin('delivery', { webhookId, eventId: event.id });
    const handled = await this.#send(webhook, event.id, JSON.stringify(this.#sentAs(event)), signal);
    ended(handled.outcome === 'ack' ? 'delivered' : 'failed');
    return handled;
  }

  async #send(webhook: Webhook, id: string, body: string, signal: AbortSignal): Promise<Handled> {
    const { keys, sender, now } = this.#options;
    const secrets = keys.secretsOf(webhook, now());
    if (secrets.length === 0) {
      const reason =
        'the secret was derived from a key that this ledger does not have; set that key, or rotate the secret';
      return { outcome: 'retry', reason };
    }
    return sender.send({ url: webhook.url, id, body, secrets }, signal);
  }

  #bookChanged(): void {
    this.#changes += 1;
    this.#work.wake();
  }
}

function groupOf(webhookId: string): string {
  return `webhook-${webhookId}`;
}

function statusOf(stored: GroupState | undefined, after: Position): GroupStatus {
  if (stored === undefined) return { checkpoint: after, outstanding: 0, parked: [], attempts: [] };
  const { checkpoint, waiting, tried, parked, attempts, failingSince, lastSuccessAt } = stored;
  return {
    checkpoint,
    outstanding: waiting.length + tried.length,
    parked,
    attempts,
    failingSince,
    lastSuccessAt,
  };
}
