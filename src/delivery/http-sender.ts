import type { Dispatcher } from 'undici';
import type { Instant } from '../domain/time.ts';
import { messageOf } from '../util/message-of.ts';
import type { Handled } from './groups/consumer-group.ts';

/** How long a receiver has for its answer. */
const TIMEOUT_MS = 15_000;
/** Part of an answer that is read. */
const MAX_ANSWER_BYTES = 4_096;
/** Maximum pause that `Retry-After` can ask for. */
const MAX_PAUSE_MS = 24 * 3_600_000;

/** A message over HTTP. */
export interface HttpMessage {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Posts a message once. 2xx acknowledges it, 410 ends all sending, and everything else is to be retried. Redirects are not
 * followed. Never throws.
 * @param now is compared with a `Retry-After` that is a date.
 */
export async function post(
  { url, headers, body }: HttpMessage,
  dispatcher: Dispatcher,
  now: () => Instant,
  signal: AbortSignal,
): Promise<Handled> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    // Loaded at the first message: most ledgers start without one.
    const { request } = await import('undici');
    const answer = await request(url, {
      method: 'POST',
      headers: { 'user-agent': 'cluster-ledger', ...headers },
      body,
      dispatcher,
      signal: AbortSignal.any([signal, timeout]),
    });
    return handledBy(answer, await beginningOf(answer.body), now());
  } catch (error) {
    if (timeout.aborted)
      return { outcome: 'retry', reason: `the receiver did not answer within ${TIMEOUT_MS / 1_000} s` };
    return { outcome: 'retry', reason: causeOf(error) };
  }
}

function handledBy(
  { statusCode: status, headers }: Dispatcher.ResponseData,
  text: string,
  now: Instant,
): Handled {
  if (status >= 200 && status < 300) return { outcome: 'ack', status };
  if (status === 410)
    return { outcome: 'stop', status, reason: 'the receiver answered 410: it is gone for good' };
  const location = headers['location'];
  const detail = status >= 300 && status < 400 ? `to ${location}; redirects are not followed` : text;
  const reason = `the receiver answered ${status}${detail === '' ? '' : `: ${detail}`}`;
  const pauseMs = status === 429 || status === 503 ? pauseOf(headers['retry-after'], now) : undefined;
  return { outcome: 'retry', status, reason, ...(pauseMs !== undefined && { pauseMs }) };
}

/** Reads `Retry-After`, in seconds or as an HTTP date (RFC 9110, section 10.2.3). */
function pauseOf(value: string | string[] | undefined, now: Instant): number | undefined {
  if (typeof value !== 'string') return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), MAX_PAUSE_MS);
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
