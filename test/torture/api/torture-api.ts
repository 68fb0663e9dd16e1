import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import type { Contract, Named } from '../../support/contract.ts';
import type { Answer } from '../../support/ledger.ts';
import { Arbitraries, type Known } from './arbitraries.ts';
import { type ApiRequest, defectiveRequests, validRequests } from './requests.ts';

export interface ApiTorture {
  readonly contract: Contract;
  /** Sends a request to the ledger. */
  readonly send: (request: Pick<ApiRequest, 'path'> & Partial<ApiRequest>) => Promise<Answer>;
  /** Returns what the ledger knows by now. */
  readonly known: (get: (path: string) => Promise<Answer>) => Promise<Known>;
  readonly seed: number;
  /** Number of valid and of defective requests to each operation. */
  readonly count: number;
  /** No further round begins after this time, in milliseconds; by default all are sent. */
  readonly budgetMs?: number;
  /** Called after each tenth of the rounds with the number of requests by then. */
  readonly progress?: (requests: number) => void;
}

export interface ApiReport {
  /** Requests by operation and status. */
  readonly sent: ReadonlyMap<string, ReadonlyMap<number, number>>;
  readonly requests: number;
  /** Everything that differs from the document, each with its request. */
  readonly faults: readonly string[];
}

/** Number of requests to an operation before those to the next one. */
const ROUND = 20;
const PARALLEL = 4;
const MAX_FAULTS = 20;

/** How often a request is sent while the ledger says that it is busy: the machine may have other work. */
const MAX_TRIES = 20;

function isBusy({ status, headers }: Answer): boolean {
  return status === 503 && headers.has('retry-after');
}

/** Statuses that no request has that is as the contract has it: its method, size and media type are right. */
const REFUSALS_OF_FORM: ReadonlySet<number> = new Set([405, 406, 411, 413, 414, 415, 421, 431]);

/** Words of zod and Fastify, which say nothing to those who do not know them. */
const LIBRARY_WORDS =
  /Invalid (input|option|key|discriminator|element|ISO|URL|UUID)|Too (small|big):|\b[Ee]xpected (string|number|object|array|boolean)|Unrecognized key|FST_ERR|body must|querystring must/;

/**
 * Sends valid and defective requests to every operation of the contract, and compares each answer with it: no 5xx, no status,
 * header, media type or problem code that the document does not have, and a body that fits its schema.
 */
export async function tortureApi({
  contract,
  send,
  known,
  seed,
  count,
  budgetMs = Number.POSITIVE_INFINITY,
  progress,
}: ApiTorture): Promise<ApiReport> {
  const sent = new Map<string, Map<number, number>>();
  const faults: string[] = [];
  let requests = 0;

  // The first key of an operator locks out every request without one.
  let key: string | undefined;
  const keyed = (): Record<string, string> => (key === undefined ? {} : { authorization: `Bearer ${key}` });

  const tryOne = async (named: Named, request: ApiRequest) => {
    requests += 1;
    const shown = `${request.method} ${request.path.slice(0, 500)} ${JSON.stringify(request.headers)} ${request.body?.slice(0, 1_000) ?? ''}`;
    const problem = (fault: string) =>
      faults.push(`${named.name} (${request.defect ?? 'valid'}): ${fault}\n  ${shown}`);
    let answer: Answer;
    try {
      const asked = { ...request, headers: { ...keyed(), ...request.headers } };
      answer = await send(asked);
      for (let tries = 1; isBusy(answer) && tries < MAX_TRIES; tries += 1) {
        await wait(Number(answer.headers.get('retry-after')) * 1_000);
        answer = await send(asked);
      }
      if (answer.body?.role === 'operator' && typeof answer.body.key === 'string') key ??= answer.body.key;
    } catch (error) {
      problem(
        `no answer: ${error instanceof Error ? `${error.message} ${String(error.cause ?? '')}` : error}`,
      );
      return;
    }
    const statuses = sent.get(named.name) ?? new Map<number, number>();
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    sent.set(named.name, statuses);
    if (request.defect === undefined && REFUSALS_OF_FORM.has(answer.status))
      problem(`${answer.status} to a request that is as the contract has it: ${answer.text.slice(0, 500)}`);
    if (answer.status >= 500) problem(`${answer.status}: ${answer.text.slice(0, 500)}`);
    const [raw] = LIBRARY_WORDS.exec(answer.status >= 400 ? answer.text : '') ?? [];
    if (raw !== undefined) problem(`the words of a library, "${raw}": ${answer.text.slice(0, 500)}`);
    for (const fault of contract.faultsOf(named.name, answer, request.method)) problem(fault);
    const next = answer.status === 200 ? answer.body?.next : undefined;
    if (!/^[\w-]{20,}$/.test(String(next)) || request.path.includes('cursor=')) return;
    const join = request.path.includes('?') ? '&' : '?';
    await tryOne(named, { ...request, path: `${request.path}${join}cursor=${next}` });
  };

  const deadline = performance.now() + budgetMs;
  for (let done = 0; done < count && performance.now() < deadline; done += ROUND) {
    const arbitraries = new Arbitraries(
      contract.document.components.schemas,
      await known((path) => send({ path, headers: keyed() })),
    );
    for (const [index, named] of contract.operations.entries()) {
      if (done > 0 && performance.now() > deadline) break;
      const options = { seed: seed + 1_000 * done + index, numRuns: Math.min(ROUND, count - done) };
      const batch = [
        ...fc.sample(validRequests(named, arbitraries), options),
        ...fc.sample(defectiveRequests(named, arbitraries), options),
      ];
      const queue = batch.values();
      const worker = async () => {
        for (const request of queue) if (faults.length < MAX_FAULTS) await tryOne(named, request);
      };
      await Promise.all(Array.from({ length: PARALLEL }, worker));
      if (faults.length >= MAX_FAULTS) return { sent, requests, faults };
    }
    if ((done / ROUND + 1) % Math.ceil(count / ROUND / 10) === 0) progress?.(requests);
  }
  return { sent, requests, faults };
}
