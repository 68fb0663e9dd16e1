import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const KEY = 'sk_test_of_the_tests';
const DAY_MS = 86_400_000;
const MAX_IDENTIFIER = 100;
const WHOLE_NUMBER = /^-?\d{1,15}$/;

interface Saved {
  readonly body: string;
  readonly status: number;
  readonly answer: object;
}

/** The behavior of the stand-in before it answers as Stripe would. */
export type Trouble = 'none' | 'fails after counting' | 'asks to wait' | 'never answers';

/**
 * A stand-in for `POST /v1/billing/meter_events`. It requires what Stripe's reference requires: a key, a known event name and
 * customer, a whole number, an identifier of at most 100 characters that is new within 24 hours, and the same parameters for the
 * same idempotency key, whose first answer it repeats.
 */
export class StripeStandIn {
  readonly key = KEY;
  now = Date.parse('2026-04-15T12:00:00Z');
  trouble: Trouble = 'none';
  /** Called after an event was counted, before the answer. */
  onCounted: () => void = () => {};
  readonly customers = new Set<string>();
  readonly eventNames = new Set<string>();
  requests = 0;
  /** Milliseconds counted, by customer and event name. */
  readonly counted = new Map<string, bigint>();
  readonly #identifiers = new Map<string, number>();
  readonly #saved = new Map<string, Saved>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    this.requests++;
    if (this.trouble === 'asks to wait')
      return respond(response, 429, problem('rate limited'), { 'retry-after': '0' });
    const { status, answer } = this.#decide(request, body);
    if (status === 200) this.onCounted();
    if (this.trouble === 'never answers') return void request.socket.destroy();
    respond(response, status, answer);
  }

  #decide({ method, url, headers }: IncomingMessage, body: string): Saved {
    if (method !== 'POST' || url !== '/v1/billing/meter_events')
      return { body, status: 404, answer: problem('no such path') };
    if (headers.authorization !== `Bearer ${KEY}`)
      return { body, status: 401, answer: problem('invalid API key') };
    const key = String(headers['idempotency-key'] ?? '');
    if (key === '' || key.length > 255)
      return { body, status: 400, answer: problem('invalid idempotency key') };
    const saved = this.#saved.get(key);
    if (saved !== undefined && saved.body !== body)
      return { body, status: 400, answer: problem('idempotency key reused with other parameters') };
    if (saved !== undefined) return saved;
    const decided = this.#count(new URLSearchParams(body), body);
    this.#saved.set(key, decided);
    return decided;
  }

  #count(form: URLSearchParams, body: string): Saved {
    const [name, identifier] = [form.get('event_name') ?? '', form.get('identifier') ?? ''];
    const [customer, value] = [
      form.get('payload[stripe_customer_id]') ?? '',
      form.get('payload[value]') ?? '',
    ];
    const refuse = (message: string): Saved => ({ body, status: 400, answer: problem(message) });
    if (!this.eventNames.has(name)) return refuse(`no active meter with event name ${name}`);
    if (!this.customers.has(customer)) return refuse(`no such customer: ${customer}`);
    if (!WHOLE_NUMBER.test(value)) return refuse(`the value must be a whole number: ${value}`);
    if (identifier === '' || identifier.length > MAX_IDENTIFIER) return refuse('invalid identifier');
    const known = this.#identifiers.get(identifier);
    if (known !== undefined && this.now - known < DAY_MS)
      return refuse(`An event already exists with identifier ${identifier}`);
    this.#identifiers.set(identifier, this.now);
    const total = `${customer} ${name}`;
    this.counted.set(total, (this.counted.get(total) ?? 0n) + BigInt(value));
    if (this.trouble === 'fails after counting') return { body, status: 500, answer: problem('api_error') };
    return { body, status: 200, answer: { object: 'billing.meter_event', identifier } };
  }

  /** Forgets identifiers and idempotency keys, as Stripe may after 24 hours. */
  letADayPass(): void {
    this.now += DAY_MS;
    this.#saved.clear();
  }
}

function problem(message: string): object {
  return { error: { type: 'invalid_request_error', message } };
}

function respond(
  response: ServerResponse,
  status: number,
  answer: object,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(answer));
}
