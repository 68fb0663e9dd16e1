import { readFileSync } from 'node:fs';
import type { Composition } from '../../../src/app/compose.ts';
import { BATCH, registered, STRUCTURED, stopped, voided } from '../../support/cloud-events.ts';
import { mutate } from './mutate.ts';

/** A request of the fuzzer. */
export interface FuzzRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Operation {
  readonly path: string;
  readonly method: FuzzRequest['method'];
  readonly query: readonly string[];
}

/** Answers without an end, sign-outs that nothing follows, and deliveries to addresses that do not answer. */
const LEFT_OUT = /^\/v1\/(stream|webhooks\/\{webhookId\}\/test|log\/accept-loss)/;
const APRIL = '2026-04-01T00:00:00.000Z';
const VALUES: Readonly<Record<string, readonly string[]>> = {
  period: ['2026-04', '2026-03'],
  asOf: ['3', APRIL],
  from: [APRIL, '0'],
  to: ['2026-05-01T00:00:00.000Z', '3'],
  through: [APRIL],
  granularity: ['day', 'month'],
  groupBy: ['region', 'label:team'],
  limit: ['1', '100'],
  after: ['0', '1.2'],
  wait: ['0'],
  clusterId: ['c1', 'c2'],
  accountId: ['acme', 'globex'],
  size: ['2'],
  position: ['1'],
};
const FALLBACK = ['x', '1', 'true', 'eyJ2IjoxfQ'];
const TOKEN =
  'eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwczovL2EuZXhhbXBsZSIsInN1YiI6InMiLCJhdWQiOiJsIiwiZXhwIjo5OTk5OTk5OTk5fQ.c2ln';
const BODIES = [
  JSON.stringify(registered('c1', APRIL)),
  JSON.stringify([registered('c3', APRIL), stopped('c1', APRIL), voided('c1', APRIL, 'x')]),
  '{"reason":"a mistake","effectiveAt":"2026-04-02T00:00:00.000Z"}',
  '{"early":true,"dryRun":true}',
  '{"name":"n","role":"producer","expiresInDays":30}',
  '{"url":"http://127.0.0.1:1/","types":["cluster.registered"]}',
  '{"facts":[{"type":"ClusterDeleted","clusterId":"c1","effectiveAt":"2026-04-02T00:00:00.000Z"}]}',
  '{"event":"kubefirst.heartbeat","userId":"u","properties":{"clusterId":"c1"},"messageId":"m"}',
];
const TYPES = [STRUCTURED, BATCH, 'application/json', 'application/json; charset=utf-8', 'text/csv'];

/** Makes requests to every operation of the contract, most of them with a defect. */
export class RouteFuzzer {
  readonly #operations: readonly Operation[];
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
    const contract = JSON.parse(
      readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'),
    ) as { paths: Record<string, Record<string, { parameters?: { name: string; in: string }[] }>> };
    this.#operations = Object.entries(contract.paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { parameters = [] }]) =>
        ['get', 'post', 'put', 'delete'].includes(method) && !LEFT_OUT.test(path)
          ? [
              {
                path,
                method: method.toUpperCase() as Operation['method'],
                query: parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
              },
            ]
          : [],
      ),
    );
  }

  next(): FuzzRequest {
    const { path, method, query } = this.#pick(this.#operations);
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(this.#value(name).toWellFormed()),
    );
    const chosen = query.filter(() => this.#random() < 0.4);
    const search = chosen.map((name) => `${name}=${this.#maybeRaw(this.#value(name))}`).join('&');
    const url = search === '' ? filled : `${filled}?${search}`;
    const headers: Record<string, string> = {};
    if (this.#random() < 0.1) headers['authorization'] = this.#header(['Bearer ', TOKEN].join(''));
    if (this.#random() < 0.1) headers['accept'] = this.#header(this.#pick(TYPES));
    if (this.#random() < 0.05) headers['if-none-match'] = this.#header('"1-2"');
    if (method === 'GET') return { method, url, headers };
    headers['content-type'] = this.#random() < 0.8 ? this.#pick(TYPES) : this.#header(this.#pick(TYPES));
    const body = this.#random() < 0.1 ? this.#pick(BODIES) : mutate(BODIES, this.#random);
    return { method, url, headers, body };
  }

  #value(name: string): string {
    const values = VALUES[name] ?? FALLBACK;
    return this.#random() < 0.5 ? this.#pick(values) : mutate(values, this.#random);
  }

  /** A part of a query is escaped mostly; a raw one must still be a target that an HTTP parser lets through. */
  #maybeRaw(value: string): string {
    const escaped = encodeURIComponent(value.toWellFormed());
    return this.#random() < 0.9 ? escaped : escaped.replaceAll('%25', '%').replaceAll('%26', '&');
  }

  /** Returns a header value with a defect, of the characters that an HTTP parser lets through. */
  #header(value: string): string {
    return mutate([value], this.#random).replaceAll(/[^\t\u0020-\u007e\u0080-\u00ff]/g, '');
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T;
  }
}

/** Statuses of failures that the answer explains: not ready, too busy, no space. Any other 5xx is a fault of the ledger. */
const EXPLAINED = new Set([503, 507]);
const HANG_MS = 60_000;

/** Sends a request to a ledger in this process. @returns what is wrong, in words */
export async function sendFuzzed({ app }: Composition, request: FuzzRequest): Promise<string | undefined> {
  const { method, url, headers, body } = request;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), HANG_MS);
  });
  try {
    const answering = app.inject({ method, url, headers, ...(body !== undefined && { payload: body }) });
    const answer = await Promise.race([answering, late]);
    if (answer === undefined) return 'there is no answer';
    const { statusCode } = answer;
    if (statusCode >= 500 && !EXPLAINED.has(statusCode))
      return `the answer is ${statusCode}: ${answer.body.slice(0, 300)}`;
    if (statusCode >= 400 && !String(answer.headers['content-type']).startsWith('application/problem+json'))
      return `an error of ${statusCode} is not a problem document: ${answer.body.slice(0, 100)}`;
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
