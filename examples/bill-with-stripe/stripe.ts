/** A meter event, as Stripe's `POST /v1/billing/meter_events` takes it. */
export interface MeterEvent {
  readonly eventName: string;
  readonly identifier: string;
  readonly customer: string;
  /** A whole number. */
  readonly value: bigint;
}

/** Stripe's answer to a meter event. */
export interface Answer {
  /**
   * - `accepted`: Stripe has the event, from now on or already.
   * - `refused`: Stripe does not take this event. Somebody has to correct something.
   * - `later`: Stripe has not taken it, and asks to send it again later.
   * - `unknown`: nobody knows whether Stripe has taken it. Sending it again settles that.
   * - `unusable`: Stripe does not accept the key, so it takes no event at all.
   */
  readonly outcome: 'accepted' | 'refused' | 'later' | 'unknown' | 'unusable';
  /** Why, in Stripe's words. */
  readonly detail: string;
  /** Seconds after which to send it again, if Stripe names them. */
  readonly retryAfter: number | undefined;
}

const TIMEOUT_MS = 30_000;

/** A client of the one request that is needed. */
export class Stripe {
  readonly #url: string;
  readonly #key: string;

  /** @param url the API, for example `https://api.stripe.com`. */
  constructor(url: string, key: string) {
    this.#url = url.replace(/\/$/, '');
    this.#key = key;
  }

  /**
   * Sends an event. Stripe stores its answer for each idempotency key, even if it is a 500. Therefore a repetition after a
   * failure has another key; the identifier still keeps Stripe from counting the event twice.
   * @param failures how often sending this event has failed.
   */
  async send({ eventName, identifier, customer, value }: MeterEvent, failures: number): Promise<Answer> {
    const body = new URLSearchParams({
      event_name: eventName,
      identifier,
      'payload[stripe_customer_id]': customer,
      'payload[value]': String(value),
    });
    const headers = { authorization: `Bearer ${this.#key}`, 'idempotency-key': `${identifier}-${failures}` };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const url = `${this.#url}/v1/billing/meter_events`;
      const response = await fetch(url, { method: 'POST', headers, body, signal });
      return answerOf(response, await response.text());
    } catch (error) {
      return { outcome: 'unknown', detail: messageOf(error), retryAfter: undefined };
    }
  }
}

function answerOf({ status, headers }: Response, body: string): Answer {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  const retryAfter = seconds >= 0 ? seconds : undefined;
  return { outcome: outcomeOf(status, body), detail: `${status} ${body}`, retryAfter };
}

function outcomeOf(status: number, body: string): Answer['outcome'] {
  if (status < 300) return 'accepted';
  if (status === 401 || status === 403) return 'unusable';
  if (status === 409 || status === 429) return 'later';
  if (status >= 500) return 'unknown';
  // Finding an event that Stripe already has is the purpose of a repetition.
  return /already exists with identifier|duplicate_meter_event/.test(body) ? 'accepted' : 'refused';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.message} ${error.cause ?? ''}`.trim() : String(error);
}
