import { Webhook as Signature } from 'standardwebhooks';
import type { Dispatcher } from 'undici';
import { request } from 'undici';
import type { Instant } from '../../domain/time.ts';
import { messageOf } from '../../util/message-of.ts';
import type { Handled } from '../groups/consumer-group.ts';
import { addressIn, guardedAgent, type TargetPolicy } from '../guarded-agent.ts';

/** How long a receiver has for its answer. */
const TIMEOUT_MS = 15_000;
/** Part of an answer that is read. */
const MAX_ANSWER_BYTES = 4_096;
/** Maximum pause that `Retry-After` can ask for. */
const MAX_PAUSE_MS = 24 * 3_600_000;

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
  readonly #agent: Dispatcher;
  readonly #now: () => Instant;

  constructor(policy: TargetPolicy, now: () => Instant) {
    this.#policy = policy;
    this.#agent = guardedAgent(policy);
    this.#now = now;
  }

  /** Returns why a URL can never be a target; `undefined` if it may be one. */
  problemOf(url: string): string | undefined {
    return this.#policy.problemOf(url);
  }

  /**
   * Sends a message once. 2xx acknowledges it, 410 ends all sending, and everything else is to be retried. Never throws.
   */
  async send({ url, id, body, secrets }: WebhookMessage, signal: AbortSignal): Promise<Handled> {
    const at = new Date(this.#now());
    const headers = {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'user-agent': 'cluster-ledger',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': secrets.map((secret) => new Signature(secret).sign(id, at, body)).join(' '),
    };
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const address = addressIn(new URL(url).hostname);
      if (address !== undefined) this.#policy.requireAllowed(address);
      const answer = await request(url, {
        method: 'POST',
        headers,
        body,
        dispatcher: this.#agent,
        signal: AbortSignal.any([signal, timeout]),
      });
      const text = await beginningOf(answer.body);
      return this.#handledBy(answer, text);
    } catch (error) {
      if (timeout.aborted)
        return { outcome: 'retry', reason: `the receiver did not answer within ${TIMEOUT_MS / 1_000} s` };
      return { outcome: 'retry', reason: causeOf(error) };
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #handledBy({ statusCode: status, headers }: Dispatcher.ResponseData, text: string): Handled {
    if (status >= 200 && status < 300) return { outcome: 'ack', status };
    if (status === 410)
      return { outcome: 'stop', status, reason: 'the receiver answered 410: it is gone for good' };
    const location = headers['location'];
    const detail = status >= 300 && status < 400 ? `to ${location}; redirects are not followed` : text;
    const reason = `the receiver answered ${status}${detail === '' ? '' : `: ${detail}`}`;
    const pauseMs = status === 429 || status === 503 ? this.#pauseOf(headers['retry-after']) : undefined;
    return { outcome: 'retry', status, reason, ...(pauseMs !== undefined && { pauseMs }) };
  }

  /** Reads `Retry-After`, in seconds or as an HTTP date (RFC 9110, section 10.2.3). */
  #pauseOf(value: string | string[] | undefined): number | undefined {
    if (typeof value !== 'string') return undefined;
    const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - this.#now();
    return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), MAX_PAUSE_MS);
  }
}

/** Reads the first bytes of an answer as one line of text, and ignores the rest. */
async function beginningOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes >= MAX_ANSWER_BYTES) break;
  }
  const text = Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString('utf8');
  return text
    .replaceAll(/[\p{Cc}\p{White_Space}]+/gu, ' ')
    .trim()
    .slice(0, 150);
}

/** Returns the cause of a failed request: undici wraps that of the socket. */
function causeOf(error: unknown): string {
  const { cause, code } = error as { cause?: unknown; code?: unknown };
  if (cause instanceof Error) return causeOf(cause);
  const message = messageOf(error);
  return message === '' ? String(code) : message;
}
