import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { NoteSigner } from '../../src/audit/note-key.ts';
import { WebhookKeys } from '../../src/delivery/webhooks/webhook-keys.ts';
import { LEDGER_SOURCE } from '../../src/domain/facts/cloud-event.ts';
import { readFeed, readFeedWith } from '../fault/feed.ts';
import { Producers } from '../fault/producers.ts';
import { LedgerProcess } from '../support/ledger-process.ts';
import { until } from '../support/until.ts';
import { WebhookReceiver } from './webhook-receiver.ts';

export interface ReplicasOptions {
  /** Connection string of an EventStoreDB that can lose everything afterwards. */
  readonly connection: string;
  /** How often a replica is killed. After each kill, another one is shut down and started, as in an upgrade. */
  readonly count: number;
  /** Seconds between two kills. Without them, the next one follows when 200 more facts are acknowledged. */
  readonly seconds?: number;
  /** Clients that post at once: 16 by default. */
  readonly clients?: number;
  /** How long nothing may be delivered: 30 seconds by default, on a machine that does nothing else. */
  readonly maxPauseMs?: number;
  readonly progress?: (kills: number, facts: number) => void;
}

export interface ReplicasReport {
  readonly kills: number;
  readonly facts: number;
  readonly runs: number;
  /** Number of ticks of the validator between the first and the last run. */
  readonly ticks: number;
  readonly closings: number;
  readonly delivered: number;
  /** Longest time without a delivery, while facts were posted and the owner of the deliveries may have been killed. */
  readonly longestPauseMs: number;
  readonly findings: readonly string[];
}

const REPLICAS = 3;
/** The validator runs at most once a minute, however often its schedule asks for it. */
const TICK_MS = 60_000;
const WEBHOOKS = 2;
/** How soon another replica goes on with the deliveries of one that was killed. */
export const MAX_PAUSE_MS = 30_000;

/**
 * Runs three replicas on one EventStoreDB under load, with a validator, closings and webhooks, and kills one after the other. No
 * acknowledged fact may be lost or be there twice, no tick may have two runs, no period two closings, and each webhook must get
 * every fact, those of a cluster in order, without a pause of more than 30 seconds.
 */
export async function tortureReplicas(options: ReplicasOptions): Promise<ReplicasReport> {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-replicas-'));
  const findings: string[] = [];
  const receivers = await Promise.all(Array.from({ length: WEBHOOKS }, () => WebhookReceiver.start()));
  const credentials = join(folder, 'kubeconfigs');
  await mkdir(credentials);
  const replicas = await newReplicas(folder, options.connection, REPLICAS, {
    LEDGER_PERIODS_AUTO_CLOSE: 'true',
    LEDGER_PERIODS_AUTO_CLOSE_SCHEDULE: '*/2 * * * * *',
    LEDGER_VALIDATOR_SCHEDULE: '*/5 * * * * *',
    LEDGER_VALIDATOR_CREDENTIALS: JSON.stringify({ directory: credentials }),
  });
  try {
    await Promise.all(replicas.map((replica) => replica.start()));
    const [first] = replicas as [LedgerProcess];
    for (const receiver of receivers) await createWebhook(first, receiver.url);
    let turn = 0;
    const producers = new Producers(() => (replicas[turn++ % REPLICAS] as LedgerProcess).url);
    producers.start(options.clients ?? 16, 'r');
    for (let kill = 0; kill < options.count; kill++) {
      const before = producers.acknowledged.length;
      if (options.seconds !== undefined) await wait(options.seconds * 1_000);
      await until(() => producers.acknowledged.length >= before + 200);
      const victim = await senderOf(replicas);
      await victim.stop('SIGKILL');
      await victim.start();
      const next = replicas[(replicas.indexOf(victim) + 1) % REPLICAS] as LedgerProcess;
      await next.stop('SIGTERM');
      if (next.exitCode !== 0) findings.push(`a replica ended with ${next.exitCode}: ${next.output}`);
      await next.start();
      options.progress?.(kill + 1, producers.acknowledged.length);
    }
    await producers.stop();
    const report = await examine(options, replicas, receivers, producers);
    return { ...report, findings: [...findings, ...report.findings] };
  } finally {
    await Promise.all(replicas.map((replica) => replica.stop('SIGKILL')));
    await Promise.all(receivers.map((receiver) => receiver.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

/** Returns the replica that sends the webhooks: only it has figures of them. */
export async function senderOf(replicas: readonly LedgerProcess[]): Promise<LedgerProcess> {
  let sender: LedgerProcess | undefined;
  await until(async () => {
    for (const replica of replicas) {
      const metrics = await fetch(`${replica.url}/metrics`);
      if ((await metrics.text()).includes('ledger_webhook_behind{')) sender = replica;
    }
    return sender !== undefined;
  });
  return sender as LedgerProcess;
}

/** Creates replicas that share a log and their keys. @param settings of each of them, beside the common ones. */
export async function newReplicas(
  folder: string,
  connection: string,
  count: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<LedgerProcess[]> {
  const namespace = `replicas-${randomUUID()}`;
  const { secret } = NoteSigner.generate('ledger.example/replicas');
  const webhookKey = WebhookKeys.generate();
  const create = async (_: unknown, n: number) => {
    const dataDir = join(folder, `replica-${n}`);
    await mkdir(dataDir, { mode: 0o700 });
    await writeFile(join(dataDir, 'log-key'), secret, { mode: 0o600 });
    await writeFile(join(dataDir, 'webhook-key'), `${webhookKey}\n`, { mode: 0o600 });
    return new LedgerProcess({
      LEDGER_STORE: connection,
      LEDGER_DATA_DIR: dataDir,
      LEDGER_NAMESPACE: namespace,
      LEDGER_LOG_LEVEL: 'fatal',
      ...settings,
    });
  };
  return Promise.all(Array.from({ length: count }, create));
}

export async function createWebhook(ledger: LedgerProcess, url: string): Promise<void> {
  const answer = await fetch(`${ledger.url}/v1/webhooks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url, types: [] }),
  });
  if (answer.status !== 201) throw new Error(`no webhook: ${answer.status} ${await answer.text()}`);
}

interface Run {
  readonly tick: string;
  readonly shard: string;
  readonly state: string;
}

async function examine(
  { count: kills, maxPauseMs = MAX_PAUSE_MS }: ReplicasOptions,
  replicas: readonly LedgerProcess[],
  receivers: readonly WebhookReceiver[],
  producers: Producers,
): Promise<ReplicasReport> {
  const [first, ...others] = replicas as [LedgerProcess, ...LedgerProcess[]];
  const findings = [...producers.wrong];
  const acknowledged = new Set(producers.acknowledged.map(({ eventId }) => eventId));
  const facts = (await readFeedWith(first, acknowledged)).filter(({ source }) => source !== LEDGER_SOURCE);
  const ids = new Set(facts.map(({ ledgereventid }) => ledgereventid));
  if (ids.size !== facts.length) findings.push('a fact is there twice');
  for (const { eventId } of producers.acknowledged)
    if (!ids.has(eventId)) findings.push(`the acknowledged fact ${eventId} is lost`);
  for (const other of others) {
    const same = (await readFeedWith(other, ids)).filter(({ source }) => source !== LEDGER_SOURCE);
    if (JSON.stringify(same) !== JSON.stringify(facts)) findings.push('two replicas have different feeds');
  }
  let runs: Run[] = [];
  await until(async () => {
    runs = ((await first.getJson('/v1/validations?limit=1000')) as { items: Run[] }).items;
    return runs.length > 0;
  });
  const times = runs.map(({ tick }) => Date.parse(tick));
  const ticks = runs.map(({ tick, shard }) => `${tick} ${shard}`);
  for (const [i, tick] of ticks.entries())
    if (ticks.indexOf(tick) !== i) findings.push(`two runs of the validator at ${tick}`);
  let closings: string[] = [];
  await until(async () => {
    const closed = (await readFeed(first)).filter(({ type }) => type === CLOSED);
    closings = closed.map(({ subject }) => subject);
    return closings.length > 0;
  });
  if (new Set(closings).size !== closings.length) findings.push(`a period was closed twice: ${closings}`);
  // The receivers get the rest: no more facts are posted.
  await until(() => receivers.every((receiver) => receiver.hasAll(ids)));
  for (const receiver of receivers) findings.push(...disorderOf(receiver));
  const longestPauseMs = Math.round(Math.max(...receivers.map((receiver) => receiver.longestPauseMs)));
  if (longestPauseMs > maxPauseMs) findings.push(`nothing was delivered for ${longestPauseMs} ms`);
  const delivered = receivers.reduce((sum, { messages }) => sum + messages.length, 0);
  return {
    kills,
    facts: facts.length,
    runs: runs.length,
    ticks: 1 + Math.round((Math.max(...times) - Math.min(...times)) / TICK_MS),
    closings: closings.length,
    delivered,
    longestPauseMs,
    findings,
  };
}

const CLOSED = 'io.clusterledger.period.closed.v1';

/** Returns the clusters whose facts did not arrive in order, and the messages that changed between two attempts. */
export function disorderOf({ messages, changed }: WebhookReceiver): string[] {
  const last = new Map<string, number>();
  const wrong = [...changed];
  for (const { subject, ledgerposition } of messages) {
    if (Number(ledgerposition) < (last.get(subject) ?? 0))
      wrong.push(`facts of ${subject} came out of order`);
    last.set(subject, Number(ledgerposition));
  }
  return wrong;
}
