import type { Period } from '../domain/time.ts';
import type { Close, LedgerModel } from './ledger-model.ts';
import { closedQuestion, statementsInTurns, tally } from './statements.ts';

/** A closed period whose statements are no longer what they were when it was closed. */
export interface Drift {
  readonly period: Period;
  /** Position of the closing. */
  readonly position: number;
  readonly why: string;
}

/**
 * Works out the statements of every closed period once more and compares them with the digest in the log: after a start,
 * after a rebuild, and of every close that is seen.
 */
export class StatementCheck {
  readonly #onDrift: (drift: Drift) => void;
  #model: LedgerModel | undefined;
  #checked = 0;
  #drifts: Drift[] = [];
  #running: Promise<void> | undefined;
  #isStopped = false;

  /** @param onDrift is told once of every period that differs. */
  constructor(onDrift: (drift: Drift) => void) {
    this.#onDrift = onDrift;
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
    if (this.#running !== undefined || this.#checked >= model.closes.length) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    for (;;) {
      const model = this.#model;
      const close = model?.closes[this.#checked];
      if (model === undefined || close === undefined || this.#isStopped) return;
      const drift = await driftOf(model, close).catch((error: unknown) => {
        return { period: close.period, position: close.position, why: `it cannot be compared: ${error}` };
      });
      if (model !== this.#model) continue;
      this.#checked++;
      if (drift === undefined) continue;
      this.#drifts.push(drift);
      this.#onDrift(drift);
    }
  }

  /** Ends after the period that is being compared. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }
}

async function driftOf(
  model: LedgerModel,
  { period, position, ...recorded }: Close,
): Promise<Drift | undefined> {
  const question = closedQuestion(model, period);
  if (question === undefined) return undefined;
  const worked = await tally(statementsInTurns(model, question));
  if (worked.statementsDigest !== recorded.statementsDigest) {
    const why = `its statements now have digest ${worked.statementsDigest}, and had ${recorded.statementsDigest}`;
    return { period, position, why };
  }
  const { billableClusters, clusterSeconds } = recorded.totals;
  const isSame =
    worked.accounts === recorded.accounts &&
    worked.totals.billableClusters === billableClusters &&
    worked.totals.clusterSeconds === clusterSeconds;
  if (isSame) return undefined;
  return { period, position, why: 'its accounts or totals are not those of its statements' };
}
