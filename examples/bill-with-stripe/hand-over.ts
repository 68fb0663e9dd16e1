import { type Charge, Charges } from './charges.ts';
import type { Journal } from './journal.ts';
import type { Ledger } from './ledger.ts';
import type { Stripe } from './stripe.ts';

/** What became of the charges. */
export interface Report {
  readonly accepted: number;
  /** Charges that need somebody, each as a sentence. All others were sent. */
  readonly needed: readonly string[];
  /** Charges that Stripe could not take now: run again. */
  readonly failed: readonly string[];
  /** Seconds after which to run again, if Stripe named them. */
  readonly retryAfter: number | undefined;
}

export interface HandOver {
  readonly ledger: Ledger;
  readonly stripe: Stripe;
  readonly journal: Journal;
  /** The first period that is charged by Stripe, such as `2026-09`. */
  readonly from: string;
  /** The event name of the meter for each cluster type; the key `*` is for all other types. */
  readonly meters: ReadonlyMap<string, string>;
  readonly now: () => number;
}

/** Stripe recognizes a repeated identifier for at least 24 hours: shortly before that, nothing is sent twice any more. */
const SAFE_TO_REPEAT_MS = 23 * 3_600_000;
/** Failures in a row after which Stripe is left alone until the next run. */
const MAX_FAILURES = 3;

const STATES = {
  accepted: 'accepted',
  refused: 'not-taken',
  later: 'not-taken',
  unknown: 'failed',
  unusable: 'not-taken',
} as const;

/**
 * Sends each charge of all closed periods to Stripe that was not accepted yet. It can be run as often as you like: every charge
 * has one identifier for ever.
 * @throws Error if the ledger cannot be read, or if Stripe does not accept the key. Charges that were accepted before stay
 * accepted.
 */
export async function handOver({ ledger, stripe, journal, from, meters, now }: HandOver): Promise<Report> {
  const customers = await ledger.customers();
  const charges = new Charges();
  const needed: string[] = [];
  const failed: string[] = [];
  let [accepted, failuresInARow] = [0, 0];
  let retryAfter: number | undefined;

  async function send(charge: Charge): Promise<void> {
    const { accountId, clusterType, identifier, milliseconds } = charge;
    if (journal.isAccepted(identifier)) return;
    const customer = customers.get(accountId);
    if (customer === undefined)
      return void needed.push(`${nameOf(charge)}: set externalIds.stripe of the account, then run again`);
    const eventName = (clusterType !== null && meters.get(clusterType)) || meters.get('*');
    if (eventName === undefined) return void needed.push(`${nameOf(charge)}: no meter for this cluster type`);
    if (journal.isUnknownFor(identifier, SAFE_TO_REPEAT_MS, now()))
      return void needed.push(
        `${nameOf(charge)}: sent more than a day ago, and Stripe's answer never arrived: look for ${identifier} at Stripe`,
      );
    if (failuresInARow >= MAX_FAILURES) return void failed.push(`${nameOf(charge)}: not sent`);
    journal.write(identifier, 'sending', now());
    const event = { eventName, identifier, customer, value: milliseconds };
    const answer = await stripe.send(event, journal.failures(identifier));
    failuresInARow = answer.outcome === 'later' || answer.outcome === 'unknown' ? failuresInARow + 1 : 0;
    journal.write(identifier, STATES[answer.outcome], now());
    if (answer.outcome === 'unusable') throw new Error(`Stripe does not accept the key: ${answer.detail}`);
    if (answer.outcome === 'refused') needed.push(`${nameOf(charge)}: Stripe refused it: ${answer.detail}`);
    if (failuresInARow > 0) failed.push(`${nameOf(charge)}: ${answer.detail}`);
    retryAfter = answer.retryAfter ?? retryAfter;
    if (answer.outcome === 'accepted') accepted++;
  }

  for (const period of await ledger.closedPeriods(from))
    for await (const statement of ledger.statements(period))
      for (const charge of charges.of(statement)) await send(charge);
  return { accepted, needed, failed, retryAfter };
}

function nameOf({ accountId, clusterType, period, milliseconds }: Charge): string {
  const type = clusterType ?? 'without a type';
  return `account ${accountId}, clusters ${type}, ${period}, ${milliseconds} ms`;
}
