/** When to send a request again, and after which pause. */

const BASE_MS = 500;
const CAP_MS = 60_000;

/** Longest pause that a `Retry-After` header can ask for, so that the header of a confused proxy stops nothing for hours. */
const MAX_RETRY_AFTER_MS = 300_000;

/** Share of a pause that is added at random, so that many clients do not return in the same moment. */
const SPREAD = 0.25;

/**
 * Returns the milliseconds that a `Retry-After` header asks for: a number of seconds, or an HTTP date.
 * @returns undefined if there is no readable header.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/**
 * Returns the pause before an attempt in milliseconds. It doubles with each failure up to a minute, and is never shorter than
 * what the ledger asked for.
 * @param failures number of failed attempts so far, from 1.
 * @param askedMs what `Retry-After` asked for.
 * @param random a number from 0 to 1.
 */
export function pauseMs(failures: number, askedMs: number | undefined, random: number): number {
  if (askedMs !== undefined) return Math.ceil(askedMs * (1 + SPREAD * random));
  const longest = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(failures - 1, 16));
  return Math.ceil(longest * (0.5 + 0.5 * random));
}

/** Statuses that say that nothing was recorded, and that a later attempt can succeed. */
const NOTHING_RECORDED = new Set([408, 425, 429, 503, 507]);

/** Codes of problems after which a fact may be recorded or not. */
const UNCERTAIN = new Set(['outcome-unknown', 'store-failed', 'internal']);

/**
 * Returns whether a request may be sent again after an answer.
 * @param isRepeatable whether sending the request twice has the effect of sending it once.
 * @param code code of the problem, if the ledger answered; without a code, a proxy did.
 */
export function mayRepeat(status: number, code: string | undefined, isRepeatable: boolean): boolean {
  if (NOTHING_RECORDED.has(status) && code !== undefined && !UNCERTAIN.has(code)) return true;
  return isRepeatable && (NOTHING_RECORDED.has(status) || status >= 500);
}

/** Waits. @throws the reason of the signal when it is aborted. */
export function pause(ms: number, signal?: AbortSignal, { keepsProcess = true } = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    if (!keepsProcess) timer.unref();
  });
}
