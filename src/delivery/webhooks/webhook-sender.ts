import { Webhook as Signature } from 'standardwebhooks';
import type { Dispatcher } from 'undici';
import type { Instant } from '../../domain/time.ts';
import type { Handled } from '../groups/consumer-group.ts';
import { addressIn, guardedAgent, type TargetPolicy } from '../guarded-agent.ts';
import { post } from '../http-sender.ts';
import type { WebhookSigningKey } from './webhook-signing-key.ts';

/** One message to a webhook. */
export interface WebhookMessage {
  readonly url: string;
  /** Goes into `webhook-id`: the same at every attempt. */
  readonly id: string;
  readonly body: string;
  /** Secrets that sign it, in the form `whsec_…`. */
  readonly secrets: readonly string[];
}

/** Sends messages as Standard Webhooks 1.0 has it (github.com/standard-webhooks/standard-webhooks). */
export class WebhookSender {
  readonly #policy: TargetPolicy;
  /** Opened at the first message. */
  #agent: Promise<Dispatcher> | undefined;
  readonly #now: () => Instant;
  readonly #signingKey: WebhookSigningKey | undefined;

  /** @param signingKey signs each message in addition to the secrets of its webhook. */
  constructor(policy: TargetPolicy, now: () => Instant, signingKey?: WebhookSigningKey) {
    this.#policy = policy;
    this.#now = now;
    this.#signingKey = signingKey;
  }

  /** The public key of the signatures by Ed25519, `whpk_…`; `undefined` if messages have none. */
  get publicKey(): string | undefined {
    return this.#signingKey?.publicText;
  }

  /** Returns why a URL can never be a target; `undefined` if it may be one. */
  problemOf(url: string): string | undefined {
    return this.#policy.problemOf(url);
  }

  /** Sends a message once, as `post` does. Never throws. */
  async send({ url, id, body, secrets }: WebhookMessage, signal: AbortSignal): Promise<Handled> {
    const at = new Date(this.#now());
    const signatures = secrets.map((secret) => new Signature(secret).sign(id, at, body));
    if (this.#signingKey !== undefined) signatures.push(this.#signingKey.sign(id, at.getTime(), body));
    const headers = {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': signatures.join(' '),
    };
    const address = addressIn(new URL(url).hostname);
    const denied = address === undefined ? undefined : this.#policy.denialReason(address);
    if (denied !== undefined) return { outcome: 'retry', reason: denied };
    this.#agent ??= guardedAgent(this.#policy);
    return post({ url, headers, body }, await this.#agent, this.#now, signal);
  }

  async close(): Promise<void> {
    await (await this.#agent)?.destroy();
  }
}
