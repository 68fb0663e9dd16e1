import { hash } from 'node:crypto';
import { RULES_VERSION } from '../domain/billing/statement.ts';
import type { Period } from '../domain/time.ts';
import type { Position } from '../util/log-numbers.ts';
import type { ClosedPeriod } from './model/closed-periods.ts';
import type { LedgerModel } from './model/ledger-model.ts';
import { closedQuestion, statementsInTurns, tally } from './queries/period-statements.ts';

/** A closed period whose statements are no longer what they were when it was closed. */
export interface Drift {
  readonly period: Period;
  /** Position of the closing. */
  readonly position: Position;
  readonly why: string;
  /** The first account, in the order of the ids, whose statement differs, where that can be told. */
  readonly accountId?: string;
}

/** Digests of single statements, by account, in the order of the accounts. */
type Digests = ReadonlyMap<string, string>;

/** Keeps, outside of the log, the digest of each statement of a closed period: what names the account in a drift. */
export interface DigestKeeper {
  /** Keeps them, unless they are kept; safe twice. */
  keep(close: ClosedPeriod, digests: Digests): Promise<void>;
  /** `undefined` where none are kept that are of this closing. */
  read(close: ClosedPeriod): Promise<Digests | undefined>;
}

export interface StatementCheckOptions {
  /** Is told once of every period that differs. */
  readonly onDrift: (drift: Drift) => void;
  readonly keeper?: DigestKeeper | undefined;
  /** Is told where digests could not be kept; that is tried again after the next start. */
  readonly onNotKept?: (period: Period, error: unknown) => void;
}

/**
 * Works out the statements of every closed period once more and compares them with the digest in the log: after a start,
 * after a rebuild, and of every close that is seen.
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

  /** How many periods have been compared. */
  get checked(): number {
    return this.#checked;
  }

  /** Compares, in the background, what has been closed in a model since it was last given; all of it in another model. */
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
    return { period, position, why: 'its accounts or totals are not those of its statements' };
  }

  /** Never in the way of the comparison: what cannot be kept now is kept after another start. */
  async #keep(close: ClosedPeriod, digests: Digests): Promise<void> {
    try {
      await this.#options.keeper?.keep(close, digests);
    } catch (error) {
      this.#options.onNotKept?.(close.period, error);
    }
  }

  /** Says which account it is, by the digests that were kept. */
  async #named(close: ClosedPeriod, now: Digests, why: string): Promise<Pick<Drift, 'why' | 'accountId'>> {
    const kept = await this.#options.keeper?.read(close).catch(() => undefined);
    if (kept === undefined) return { why: `${why}; of single accounts no digest was kept` };
    const accounts = [...new Set([...kept.keys(), ...now.keys()])].sort();
    const accountId = accounts.find((account) => kept.get(account) !== now.get(account));
    if (accountId === undefined)
      return { why: `${why}; each account has the statement it had, so that it is the closing that differs` };
    const what = !now.has(accountId)
      ? 'has none any more'
      : kept.has(accountId)
        ? 'has another'
        : 'had none before';
    return { why: `${why}; the first account that differs is ${accountId}, which ${what}`, accountId };
  }

  /** Ends after the period that is being compared. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }
}
