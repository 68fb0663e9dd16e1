import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Instant } from '../../domain/time.ts';
import type { Verdict, VerdictCode } from '../../domain/validation/judging/verdict.ts';
import type { AddressPolicy } from '../../util/address-policy.ts';
import { CredentialRefused } from '../credentials/credential-source.ts';
import type { Endpoint } from '../credentials/endpoint.ts';
import { type Answers, classify, type ProbeOutcome } from './classify-answers.ts';
import { checkAddresses, type DialOptions, type OpenSockets } from './dial.ts';
import { addressesOf, type NameSettings } from './dns.ts';
import { sendRequests } from './exchange.ts';
import { ProbeFailure, probeTimeout } from './probe-failure.ts';
import type { SecureContexts } from './tls-contexts.ts';

/** State that all probes of a process share. */
export interface ProbeContext {
  readonly policy: AddressPolicy;
  readonly contexts: SecureContexts;
  /** TCP sockets of all probes that are currently open. */
  readonly sockets: Set<Socket>;
  readonly names: NameSettings;
  /** Returns a number from 0 to 1, for the pause before a second try. */
  readonly random: () => number;
  readonly now: () => Instant;
  /** Limits the rate of connections per host. */
  readonly throttle: HostThrottle;
}

export interface HostThrottle {
  /** Waits until the next connection to the host is allowed. This time does not count toward the deadline. */
  wait(host: string, signal: AbortSignal): Promise<void>;
  /** Returns whether another connection is allowed now, and counts it. */
  tryTake(host: string): boolean;
}

/**
 * Probes one API server: resolves its host, checks the addresses, connects to one of them, and sends the requests.
 * A second try is within the same deadline. Nothing is open when this resolves, and it never rejects.
 * @param signal ends the probe early, as `unknown: timeout`.
 */
export async function probe(
  endpoint: Endpoint,
  shared: ProbeContext,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Verdict> {
  const startedAt = performance.now();
  const answers: Answers = {};
  const secondTry = new SecondTry(shared.random);
  let waitedMs = 0;
  let outcome: ProbeOutcome;
  try {
    const context = endpoint.isTls ? shared.contexts.of(endpoint) : undefined;
    const addresses = await within(deadlineMs, signal, (own) =>
      lookUp(endpoint.host, shared.names, secondTry, startedAt + deadlineMs, own),
    );
    checkAddresses(addresses, shared.policy);
    const host = `${addresses[0]} ${endpoint.port}`;
    const resolvedAt = performance.now();
    await shared.throttle.wait(host, signal);
    waitedMs = performance.now() - resolvedAt;
    const endsAt = startedAt + deadlineMs + waitedMs;
    outcome = await within(endsAt - performance.now(), signal, async (own) => {
      const opened: OpenSockets = new Set();
      const { policy, sockets } = shared;
      const to = { endpoint, addresses, policy, context, opened, sockets, signal: own, endsAt };
      const first = await attempt(to, answers);
      if (!WORTH_RETRYING.has(first.code) || !shared.throttle.tryTake(host)) return first;
      return (await secondTry.waitIfPossible(endsAt, own)) ? attempt(to, answers) : first;
    });
  } catch (error) {
    outcome = classify(answers, failureOf(error, signal), endpoint);
  }
  const latencyMs = Math.round(performance.now() - startedAt - waitedMs);
  return { ...outcome, at: shared.now(), latencyMs };
}

const PAUSE_MS = { least: 200, most: 800 };

/** The single retry of a probe, for whichever step needs it. */
class SecondTry {
  readonly #random: () => number;
  #isUsed = false;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Pauses if there is time left. @returns whether to try again. */
  async waitIfPossible(endsAt: number, signal: AbortSignal): Promise<boolean> {
    const pauseMs = PAUSE_MS.least + this.#random() * (PAUSE_MS.most - PAUSE_MS.least);
    if (this.#isUsed || performance.now() + pauseMs >= endsAt) return false;
    this.#isUsed = true;
    await wait(pauseMs, undefined, { signal }).catch(() => undefined);
    return !signal.aborted;
  }
}

async function lookUp(
  host: string,
  names: NameSettings,
  secondTry: SecondTry,
  endsAt: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    return await addressesOf(host, names, signal);
  } catch (error) {
    const isWorthRetrying = error instanceof ProbeFailure && WORTH_RETRYING.has(error.code);
    if (!isWorthRetrying || !(await secondTry.waitIfPossible(endsAt, signal))) throw error;
    return addressesOf(host, names, signal);
  }
}

/** The outcomes after which a retry may find more. */
const WORTH_RETRYING: ReadonlySet<VerdictCode> = new Set([
  'refused',
  'no-route',
  'network-down',
  'prober-failed',
  'reset',
  'dns-failure',
  'tls-handshake',
  'bad-answer',
]);

async function attempt(to: DialOptions, answers: Answers): Promise<ProbeOutcome> {
  try {
    await sendRequests(to, answers);
    return classify(answers, undefined, to.endpoint);
  } catch (error) {
    return classify(answers, failureOf(error, to.signal), to.endpoint);
  }
}

/** Calls `work` with a signal that fires at the deadline or with the outer signal. */
async function within<T>(
  ms: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const abort = () => own.abort();
  const timer = setTimeout(abort, ms);
  outer.addEventListener('abort', abort);
  if (outer.aborted) abort();
  try {
    return await work(own.signal);
  } catch (error) {
    throw own.signal.aborted ? probeTimeout() : error;
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', abort);
  }
}

/** Returns the failure for an error. An error that is not about the cluster is `prober-failed`. */
export function failureOf(error: unknown, signal: AbortSignal): ProbeFailure {
  if (error instanceof ProbeFailure) return error;
  if (error instanceof CredentialRefused)
    return new ProbeFailure('unverifiable', 'credential-refused', error.message);
  if (signal.aborted) return probeTimeout();
  return new ProbeFailure('unverifiable', 'prober-failed', 'the probe itself failed');
}
