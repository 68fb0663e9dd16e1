import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import { type Composition, compose } from '../../../src/app/compose.ts';
import { readConfig } from '../../../src/config/config.ts';
import { cloudEventType } from '../../../src/domain/facts/cloud-event.ts';
import type { Fact } from '../../../src/domain/facts/fact.ts';
import { formatInstant, type Instant, type Period } from '../../../src/domain/time.ts';

const PATIENCE_MS = 600_000;

/** A whole ledger in this process, on a file. It is asked without a network, so that the CPU of this process is that of the ledger. */
export class GrowingLedger {
  readonly #folder: string;
  readonly #running: Composition;
  #facts = 0;

  private constructor(folder: string, running: Composition) {
    this.#folder = folder;
    this.#running = running;
  }

  static async open(now: Instant): Promise<GrowingLedger> {
    const folder = await mkdtemp(join(tmpdir(), 'ledger-growth-'));
    const config = readConfig({ LEDGER_DATA_DIR: folder, LEDGER_ALERTS_ANNOUNCE: 'false' });
    const onFailed = (error: unknown) => {
      throw error;
    };
    const log = pino({ level: 'fatal' });
    return new GrowingLedger(
      folder,
      await compose(config, { log, now: () => now, monotonic: () => now, onFailed }),
    );
  }

  /** Posts facts as a batch of events, and waits until they are recorded. @throws Error if one is not */
  async post(facts: readonly Fact[]): Promise<void> {
    const events = facts.map(({ type, clusterId: subject, effectiveAt, ...data }) => ({
      ...{ specversion: '1.0', id: String(++this.#facts), source: 'urn:growth', subject, data },
      ...{ type: cloudEventType(type), time: formatInstant(effectiveAt) },
    }));
    const { statusCode, body } = await this.#ask({
      ...{ method: 'POST', url: '/v1/events' },
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      payload: JSON.stringify(events),
    });
    if (statusCode !== 200 || body.includes('"outcome":"rejected"'))
      throw new Error(`the facts were not recorded: ${statusCode} ${body.slice(0, 500)}`);
  }

  /** Waits until the facts are in the projections and in the tree of the log. */
  async caughtUp(): Promise<void> {
    const { projections, signedLog } = this.#running;
    if (!(await projections.waitForPosition(this.#facts, PATIENCE_MS)))
      throw new Error('the projections did not reach the end of the log');
    await signedLog.tree.waitUntilCaughtUp();
  }

  /** Builds the evidence of an account, as a file. */
  async evidence(accountId: string, period: Period): Promise<void> {
    const { statusCode, body } = await this.#ask({
      url: `/v1/accounts/${accountId}/evidence?period=${period}`,
    });
    if (statusCode !== 200) throw new Error(`there is no evidence: ${statusCode} ${body.slice(0, 500)}`);
  }

  /** Asks again, when the ledger says, for as long as it is busy. Nothing is recorded in that case. */
  async #ask(request: InjectOptions): Promise<LightMyRequestResponse> {
    for (;;) {
      const answer = await this.#running.app.inject({ ...request, remoteAddress: '127.0.0.1' });
      if (answer.statusCode !== 503) return answer;
      await setTimeout(Number(answer.headers['retry-after']) * 1_000);
    }
  }

  async close(): Promise<void> {
    await this.#running.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
