import { hash } from 'node:crypto';
import { RULES_VERSION } from '../domain/billing/statement.ts';
import type { Period } from '../domain/time.ts';
import type { Position } from '../util/log-numbers.ts';
import type { ClosedPeriod } from './model/closed-periods.ts';
import type { LedgerModel } from './model/ledger-model.ts';
import { closedQuestion, statementsInTurns, tally } from './queries/period-statements.ts';

/** A closed period whose statements differ from its closing. */
export interface Drift {
  readonly period: Period;
  /** Position of the closing. */
  readonly position: Position;
  readonly why: string;
  /** Id of the first account whose statement differs, if digests of single statements are available. */
  readonly accountId?: string;
}

/** Digests of single statements by account, ordered by account id. */
type Digests = ReadonlyMap<string, string>;

/** Stores the digest of each statement of a closed period outside of the log, so that a drift can name the account. */
export interface DigestKeeper {
  /** Stores digests. Storing them again has no effect. */
  keep(close: ClosedPeriod, digests: Digests): Promise<void>;
  /** Returns the digests of a closing, or `undefined` if they were not stored. */
  read(close: ClosedPeriod): Promise<Digests | undefined>;
}

export interface StatementCheckOptions {
  /** Called once for every period that differs. */
  readonly onDrift: (drift: Drift) => void;
  readonly keeper?: DigestKeeper | undefined;
  /** Called if digests could not be stored. The next start tries again. */
  readonly onNotKept?: (period: Period, error: unknown) => void;
}

/**
 * Computes the statements of every closed period again and compares them with the digest in the log: after a start, after a
 * rebuild, and after every closing.
 */
export class StatementCheck {
  readonly #options: StatementCheckOptions;
  #model: LedgerModel | undefined;
  #checked = 0;
  #drifts: Drift[] = [];
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: StatementCheckOptions) {
    this.#options = options;
  }

  get drifts(): readonly Drift[] {
    return this.#drifts;
  }

  /** Number of periods compared so far. */
  get checked(): number {
    return this.#checked;
  }

  /** Compares the periods of a model that were not compared yet, in the background. Another model starts from the first. */
  check(model: LedgerModel): void {
    if (model !== this.#model) {
      this.#model = model;
      this.#checked = 0;
      this.#drifts = [];
    }
    if (this.#running !== undefined || this.#checked >= model.closedPeriods.all.length) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    for (;;) {
      const model = this.#model;
      const close = model?.closedPeriods.all[this.#checked];
      if (model === undefined || close === undefined || this.#isStopped) return;
      const drift = await this.#driftOf(model, close).catch((error: unknown) => {
        return { period: close.period, position: close.position, why: `it cannot be compared: ${error}` };
      });
      if (model !== this.#model) continue;
      this.#checked++;
      if (drift === undefined) continue;
      this.#drifts.push(drift);
      this.#options.onDrift(drift);
    }
  }

  async #driftOf(model: LedgerModel, close: ClosedPeriod): Promise<Drift | undefined> {
    const { period, position, totals, accounts, statementsDigest, rules } = close;
    // Statements of other rules cannot be computed here: they are neither right nor wrong.
    if (rules !== RULES_VERSION) return undefined;
    const question = closedQuestion(model, period);
    if (question === undefined) return undefined;
    const digests = new Map<string, string>();
    const worked = await tally(statementsInTurns(model, question), ({ accountId }, canonical) => {
      digests.set(accountId, hash('sha256', canonical, 'base64url'));
    });
    if (worked.statementsDigest !== statementsDigest) {
      const why = `its statements now have digest ${worked.statementsDigest}, and had ${statementsDigest}`;
      return { period, position, ...(await this.#named(close, digests, why)) };
    }
    await this.#keep(close, digests);
    const { billableClusters, clusterSeconds } = totals;
    const isSame =
      worked.accounts === accounts &&
      worked.totals.billableClusters === billableClusters &&
      worked.totals.clusterSeconds === clusterSeconds;
    if (isSame) return undefined;
    return { period, position, why: 'its accounts or totals differ from those of its statements' };
  }

  /** Stores digests. A failure does not affect the comparison, and the next start tries again. */
  async #keep(close: ClosedPeriod, digests: Digests): Promise<void> {
    try {
      await this.#options.keeper?.keep(close, digests);
    } catch (error) {
      this.#options.onNotKept?.(close.period, error);
    }
  }

  /** Completes the reason with the first account that differs, from the stored digests. */
  async #named(close: ClosedPeriod, now: Digests, why: string): Promise<Pick<Drift, 'why' | 'accountId'>> {
    const kept = await this.#options.keeper?.read(close).catch(() => undefined);
    if (kept === undefined) return { why: `${why}; no digests of single statements are stored` };
    const accounts = [...new Set([...kept.keys(), ...now.keys()])].sort();
    const accountId = accounts.find((account) => kept.get(account) !== now.get(account));
    if (accountId === undefined)
      return { why: `${why}; the statement of every account is unchanged, so the closing itself differs` };
    const what = !now.has(accountId)
      ? 'no longer has a statement'
      : kept.has(accountId)
        ? 'has a different statement'
        : 'had no statement before';
    return { why: `${why}; the first account that differs is ${accountId}, which ${what}`, accountId };
  }

  /** Stops after the current period. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }
}
